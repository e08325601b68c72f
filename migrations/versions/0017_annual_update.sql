-- Function and triggers of revision 0017; executed by 0017_annual_update.py.

CREATE OR REPLACE FUNCTION registry.link_annual_update()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'annual_update: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('annual_update', array_agg(update_id ORDER BY update_id), array_agg(sha256(convert_to(concat_ws(' ', 'account=' || length(account) || ':' || account, 'after=' || length(after::text) || ':' || after::text, 'before=' || length(before::text) || ':' || before::text, 'content=' || length(content::text) || ':' || content::text, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'step=' || length(step) || ':' || step, 'update_id=' || update_id, 'year=' || year), 'UTF8')) ORDER BY update_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.annual_update FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.annual_update FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.annual_update REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_annual_update();
