-- Functions and triggers of revision 0018; executed by 0018_plans.py.

CREATE OR REPLACE FUNCTION registry.link_plan_row()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'plan_row: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('plan_row', array_agg(row_id ORDER BY row_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'built_m2=' || encode(float8send(built_m2), 'hex'), 'content=' || length(content) || ':' || content, 'developer=' || length(developer) || ':' || developer, 'document_sha256=' || length(document_sha256) || ':' || document_sha256, 'end_on=' || (end_on - DATE '2000-01-01'), 'goal=' || length(goal) || ':' || goal, 'investment_wan=' || encode(float8send(investment_wan), 'hex'), 'kind=' || length(kind) || ':' || kind, 'number=' || length(number) || ':' || number, 'phase=' || length(phase) || ':' || phase, 'plan_entry=' || plan_entry, 'plan_version=' || plan_version, 'project_entry=' || project_entry, 'quota_no=' || length(quota_no) || ':' || quota_no, 'quota_on=' || (quota_on - DATE '2000-01-01'), 'reclaimed_m2=' || encode(float8send(reclaimed_m2), 'hex'), 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'row_id=' || row_id, 'sheet_row=' || sheet_row, 'start_on=' || (start_on - DATE '2000-01-01'), 'title=' || length(title) || ':' || title, 'town_code=' || length(town_code) || ':' || town_code, 'unit=' || length(unit) || ':' || unit, 'year=' || year), 'UTF8')) ORDER BY row_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_progress()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'progress: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('progress', array_agg(row_id ORDER BY row_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'as_of=' || (as_of - DATE '2000-01-01'), 'built_m2=' || encode(float8send(built_m2), 'hex'), 'document_sha256=' || length(document_sha256) || ':' || document_sha256, 'finished_on=' || (finished_on - DATE '2000-01-01'), 'investment_wan=' || encode(float8send(investment_wan), 'hex'), 'number=' || length(number) || ':' || number, 'project_entry=' || project_entry, 'reason=' || reason, 'reclaimed_m2=' || encode(float8send(reclaimed_m2), 'hex'), 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'row_id=' || row_id, 'sheet_row=' || sheet_row, 'started_on=' || (started_on - DATE '2000-01-01'), 'status=' || status, 'step=' || length(step) || ':' || step, 'town_code=' || length(town_code) || ':' || town_code, 'why=' || length(why) || ':' || why), 'UTF8')) ORDER BY row_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.plan_row FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.progress FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.plan_row FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.plan_row REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_plan_row();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.progress FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.progress REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_progress();
