-- Functions and triggers of revision 0021; executed by 0021_reports.py.

CREATE OR REPLACE FUNCTION registry.link_report()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'report: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('report', array_agg(row_id ORDER BY row_id), array_agg(sha256(convert_to(concat_ws(' ', 'document_sha256=' || length(document_sha256) || ':' || document_sha256, 'figures=' || length(figures::text) || ':' || figures::text, 'file_name=' || length(file_name) || ':' || file_name, 'on_date=' || (on_date - DATE '2000-01-01'), 'period=' || length(period) || ':' || period, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'report=' || length(report) || ':' || report, 'row_id=' || row_id, 'run_id=' || run_id), 'UTF8')) ORDER BY row_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.report FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.report FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.report REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_report();
