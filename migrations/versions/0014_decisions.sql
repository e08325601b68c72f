-- Functions, triggers and views of revision 0014; executed by 0014_decisions.py.

CREATE OR REPLACE FUNCTION registry.refuse_change()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a new row instead', TG_TABLE_NAME USING ERRCODE = 'LR007';
END $$;

CREATE OR REPLACE FUNCTION registry.take_turn()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE registry.link IN SHARE ROW EXCLUSIVE MODE;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.append_links(name text, numbers bigint[], digests bytea[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place bigint := 0;
    top bytea := '';
    heads bytea[];
    fresh record;
BEGIN
    SELECT link_no, head INTO place, top FROM registry.link ORDER BY link_no DESC LIMIT 1;
    FOR fresh IN SELECT * FROM unnest(numbers, digests) AS row_of (row_no, digest) LOOP
        top := sha256(coalesce(top, '') || convert_to(name || ' ' || fresh.row_no || ' ', 'UTF8') || fresh.digest);
        heads := heads || top;
    END LOOP;
    INSERT INTO registry.link (link_no, table_name, row_no, row_sha256, head)
    SELECT coalesce(place, 0) + nth, name, row_no, digest, new_head
    FROM unnest(numbers, digests, heads) WITH ORDINALITY AS row_of (row_no, digest, new_head, nth);
END $$;

CREATE OR REPLACE FUNCTION registry.check_event()
RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT * INTO wrong FROM (
        SELECT fresh.*, rule.document, rule.days, rule.since, before.on_date AS day_before, before.to_state AS stands,
            concat_ws(' ', entry.register, entry.subject, nullif(entry.matter, '')) AS label,
            earliest.free_on,
            CASE
                WHEN fresh.version <> coalesce(before.version, 0) + 1 OR fresh.version < 1 OR EXISTS (
                    SELECT FROM registry.event AS other
                    WHERE other.entry_id = fresh.entry_id AND other.version = fresh.version AND other.event_id <> fresh.event_id
                ) THEN 'LR005'
                WHEN rule.move_id IS NULL OR rule.procedure_id <> (SELECT max(procedure_id) FROM registry.procedure)
                    OR (rule.register, rule.name, rule.to_state) <> (entry.register, fresh.move, fresh.to_state)
                    OR rule.from_state IS DISTINCT FROM fresh.from_state OR before.to_state IS DISTINCT FROM fresh.from_state
                    THEN 'LR001'
                WHEN rule.document IS NOT NULL AND fresh.document_sha256 IS NULL THEN 'LR002'
                WHEN fresh.document_sha256 IS NOT NULL
                    AND NOT EXISTS (SELECT FROM registry.paper WHERE paper.sha256 = fresh.document_sha256) THEN 'LR010'
                WHEN rule.needs_reason AND trim(coalesce(fresh.reason, '')) = '' THEN 'LR003'
                WHEN fresh.on_date < before.on_date OR fresh.on_date > current_date + 1 THEN 'LR006'
                WHEN fresh.on_date < earliest.free_on THEN 'LR004'
            END AS fault
        FROM fresh
        JOIN registry.entry ON entry.entry_id = fresh.entry_id
        LEFT JOIN registry.move AS rule ON rule.move_id = fresh.move_id
        LEFT JOIN registry.event AS before ON before.entry_id = fresh.entry_id AND before.version = fresh.version - 1
        LEFT JOIN LATERAL (
            SELECT coalesce(max(kept.on_date) + rule.days, 'infinity') AS free_on FROM registry.event AS kept
            WHERE kept.entry_id = fresh.entry_id AND kept.move = rule.since
        ) AS earliest ON rule.days > 0
    ) AS looked_at
    WHERE fault IS NOT NULL ORDER BY event_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING ERRCODE = wrong.fault, MESSAGE = CASE wrong.fault
        WHEN 'LR005' THEN format('%s: somebody has recorded another move of it since (this one would be number %s); look again with lowland registry show', wrong.label, wrong.version)
        WHEN 'LR001' THEN format('%s: the move %s from %s to %s is none of the procedure in force; it stands at %s', wrong.label, wrong.move, coalesce(wrong.from_state, 'nothing'), wrong.to_state, coalesce(wrong.stands, 'nothing'))
        WHEN 'LR002' THEN format('%s: the move %s needs a paper: %s', wrong.label, wrong.move, wrong.document)
        WHEN 'LR010' THEN format('%s: there is no paper sha256:%s in the registry', wrong.label, wrong.document_sha256)
        WHEN 'LR003' THEN format('%s: the move %s needs a reason', wrong.label, wrong.move)
        WHEN 'LR006' THEN format('%s: %s lies in the future, or before the move before it (%s)', wrong.label, wrong.on_date, wrong.day_before)
        WHEN 'LR004' THEN format('%s: the move %s may be made %s days after %s, so not before %s', wrong.label, wrong.move, wrong.days, wrong.since, wrong.free_on)
    END;
END $$;

CREATE OR REPLACE FUNCTION registry.check_entry()
RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT fresh.* INTO wrong FROM fresh
    LEFT JOIN registry.current_entry AS last ON last.register = fresh.register AND last.subject = fresh.subject
        AND last.matter = fresh.matter AND last.ordinal = fresh.ordinal - 1
    WHERE fresh.ordinal < 1
        OR EXISTS (
            SELECT FROM registry.entry AS other WHERE other.register = fresh.register AND other.subject = fresh.subject
                AND other.matter = fresh.matter AND other.ordinal = fresh.ordinal AND other.entry_id <> fresh.entry_id
        )
        OR (fresh.ordinal > 1 AND (last.state IS NULL OR EXISTS (
            SELECT FROM registry.move WHERE move.register = last.register AND move.from_state = last.state
                AND move.procedure_id = (SELECT max(procedure_id) FROM registry.procedure)
        )))
    ORDER BY fresh.entry_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: it is in the register already and has not ended there', concat_ws(' ', wrong.register, wrong.subject, nullif(wrong.matter, ''))
            USING ERRCODE = 'LR009';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.check_paper()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE has_file <> (content IS NOT NULL) OR encode(sha256(content), 'hex') <> sha256) THEN
        RAISE EXCEPTION 'a paper is not the file that its digest names' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.check_move()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh JOIN registry.procedure USING (procedure_id) WHERE procedure.recorded_at <> now()) THEN
        RAISE EXCEPTION 'a move is recorded with its procedure, not later' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.check_lineage()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE part_of >= entry_id) THEN
        RAISE EXCEPTION 'an entry was part of earlier entries only' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_low_efficiency()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.append_links('low_efficiency', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'entry_id=' || entry_id, 'kind=' || length(kind) || ':' || kind, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'rule=' || length(rule) || ':' || rule, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_legacy()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.append_links('legacy', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'clauses=' || length(clauses::text) || ':' || clauses::text, 'entry_id=' || entry_id, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'retention=' || length(retention) || ':' || retention, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_problem()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.append_links('problem', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'clause=' || length(clause) || ':' || clause, 'entry_id=' || entry_id, 'needed=' || length(needed) || ':' || needed, 'office=' || length(office) || ':' || office, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'question=' || length(question) || ':' || question, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_unit()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.append_links('unit', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'entry_id=' || entry_id, 'geom=' || encode(sha256(geom::bytea), 'hex'), 'ledger=' || length(ledger::text) || ':' || ledger::text, 'low_share=' || encode(float8send(low_share), 'hex'), 'members=' || length(members::text) || ':' || members::text, 'number=' || length(number) || ':' || number, 'parcels=' || length(parcels::text) || ':' || parcels::text, 'reason=' || length(reason) || ':' || reason, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'replaces=' || length(replaces::text) || ':' || replaces::text, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code, 'unit_id=' || length(unit_id) || ':' || unit_id, 'value_m2=' || encode(float8send(value_m2), 'hex')), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_document()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.append_links('document', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'condition=' || length(condition) || ':' || condition, 'entry_id=' || entry_id, 'file_name=' || length(file_name) || ':' || file_name, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'says=' || says::integer, 'sha256=' || length(sha256) || ':' || sha256, 'size_bytes=' || size_bytes, 'state=' || length(state) || ':' || state), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_procedure()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'procedure: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('procedure', array_agg(procedure_id ORDER BY procedure_id), array_agg(sha256(convert_to(concat_ws(' ', 'content=' || length(content::text) || ':' || content::text, 'digest=' || length(digest) || ':' || digest, 'procedure_id=' || procedure_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'weaker=' || length(weaker::text) || ':' || weaker::text), 'UTF8')) ORDER BY procedure_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_move()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'move: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('move', array_agg(move_id ORDER BY move_id), array_agg(sha256(convert_to(concat_ws(' ', 'days=' || days, 'document=' || length(document) || ':' || document, 'ends=' || ends::integer, 'from_state=' || length(from_state) || ':' || from_state, 'move_id=' || move_id, 'name=' || length(name) || ':' || name, 'needs_reason=' || needs_reason::integer, 'procedure_id=' || procedure_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'register=' || length(register) || ':' || register, 'roles=' || length(to_jsonb(roles)::text) || ':' || to_jsonb(roles)::text, 'since=' || length(since) || ':' || since, 'title=' || length(title) || ':' || title, 'to_state=' || length(to_state) || ':' || to_state, 'verb=' || length(verb) || ':' || verb), 'UTF8')) ORDER BY move_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_paper()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'paper: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('paper', array_agg(paper_id ORDER BY paper_id), array_agg(sha256(convert_to(concat_ws(' ', 'content=' || encode(sha256(content), 'hex'), 'file_name=' || length(file_name) || ':' || file_name, 'has_file=' || has_file::integer, 'paper_id=' || paper_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'sha256=' || length(sha256) || ':' || sha256, 'size_bytes=' || size_bytes), 'UTF8')) ORDER BY paper_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_entry()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'entry: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('entry', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'entry_id=' || entry_id, 'matter=' || length(matter) || ':' || matter, 'ordinal=' || ordinal, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'register=' || length(register) || ':' || register, 'subject=' || length(subject) || ':' || subject, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_lineage()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'lineage: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('lineage', array_agg(lineage_id ORDER BY lineage_id), array_agg(sha256(convert_to(concat_ws(' ', 'entry_id=' || entry_id, 'lineage_id=' || lineage_id, 'part_of=' || part_of, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by), 'UTF8')) ORDER BY lineage_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_event()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'event: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('event', array_agg(event_id ORDER BY event_id), array_agg(sha256(convert_to(concat_ws(' ', 'account=' || length(account) || ':' || account, 'content=' || length(content::text) || ':' || content::text, 'document_no=' || length(document_no) || ':' || document_no, 'document_sha256=' || length(document_sha256) || ':' || document_sha256, 'drafted_row=' || drafted_row, 'entry_id=' || entry_id, 'event_id=' || event_id, 'from_state=' || length(from_state) || ':' || from_state, 'move=' || length(move) || ':' || move, 'move_id=' || move_id, 'on_date=' || (on_date - DATE '2000-01-01'), 'reason=' || length(reason) || ':' || reason, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'to_state=' || length(to_state) || ':' || to_state, 'version=' || version), 'UTF8')) ORDER BY event_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

-- What is there already is linked as it stands.

SELECT registry.append_links('low_efficiency', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'entry_id=' || entry_id, 'kind=' || length(kind) || ':' || kind, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'rule=' || length(rule) || ':' || rule, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
FROM registry.low_efficiency HAVING count(*) > 0;

SELECT registry.append_links('legacy', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'clauses=' || length(clauses::text) || ':' || clauses::text, 'entry_id=' || entry_id, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'retention=' || length(retention) || ':' || retention, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
FROM registry.legacy HAVING count(*) > 0;

SELECT registry.append_links('problem', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'clause=' || length(clause) || ':' || clause, 'entry_id=' || entry_id, 'needed=' || length(needed) || ':' || needed, 'office=' || length(office) || ':' || office, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'question=' || length(question) || ':' || question, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
FROM registry.problem HAVING count(*) > 0;

SELECT registry.append_links('unit', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'entry_id=' || entry_id, 'geom=' || encode(sha256(geom::bytea), 'hex'), 'ledger=' || length(ledger::text) || ':' || ledger::text, 'low_share=' || encode(float8send(low_share), 'hex'), 'members=' || length(members::text) || ':' || members::text, 'number=' || length(number) || ':' || number, 'parcels=' || length(parcels::text) || ':' || parcels::text, 'reason=' || length(reason) || ':' || reason, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'replaces=' || length(replaces::text) || ':' || replaces::text, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code, 'unit_id=' || length(unit_id) || ':' || unit_id, 'value_m2=' || encode(float8send(value_m2), 'hex')), 'UTF8')) ORDER BY entry_id))
FROM registry.unit HAVING count(*) > 0;

SELECT registry.append_links('document', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'condition=' || length(condition) || ':' || condition, 'entry_id=' || entry_id, 'file_name=' || length(file_name) || ':' || file_name, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'says=' || says::integer, 'sha256=' || length(sha256) || ':' || sha256, 'size_bytes=' || size_bytes, 'state=' || length(state) || ':' || state), 'UTF8')) ORDER BY entry_id))
FROM registry.document HAVING count(*) > 0;

SELECT registry.append_links('procedure', array_agg(procedure_id ORDER BY procedure_id), array_agg(sha256(convert_to(concat_ws(' ', 'content=' || length(content::text) || ':' || content::text, 'digest=' || length(digest) || ':' || digest, 'procedure_id=' || procedure_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'weaker=' || length(weaker::text) || ':' || weaker::text), 'UTF8')) ORDER BY procedure_id))
FROM registry.procedure HAVING count(*) > 0;

SELECT registry.append_links('move', array_agg(move_id ORDER BY move_id), array_agg(sha256(convert_to(concat_ws(' ', 'days=' || days, 'document=' || length(document) || ':' || document, 'ends=' || ends::integer, 'from_state=' || length(from_state) || ':' || from_state, 'move_id=' || move_id, 'name=' || length(name) || ':' || name, 'needs_reason=' || needs_reason::integer, 'procedure_id=' || procedure_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'register=' || length(register) || ':' || register, 'roles=' || length(to_jsonb(roles)::text) || ':' || to_jsonb(roles)::text, 'since=' || length(since) || ':' || since, 'title=' || length(title) || ':' || title, 'to_state=' || length(to_state) || ':' || to_state, 'verb=' || length(verb) || ':' || verb), 'UTF8')) ORDER BY move_id))
FROM registry.move HAVING count(*) > 0;

SELECT registry.append_links('paper', array_agg(paper_id ORDER BY paper_id), array_agg(sha256(convert_to(concat_ws(' ', 'content=' || encode(sha256(content), 'hex'), 'file_name=' || length(file_name) || ':' || file_name, 'has_file=' || has_file::integer, 'paper_id=' || paper_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'sha256=' || length(sha256) || ':' || sha256, 'size_bytes=' || size_bytes), 'UTF8')) ORDER BY paper_id))
FROM registry.paper HAVING count(*) > 0;

SELECT registry.append_links('entry', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'entry_id=' || entry_id, 'matter=' || length(matter) || ':' || matter, 'ordinal=' || ordinal, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'register=' || length(register) || ':' || register, 'subject=' || length(subject) || ':' || subject, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
FROM registry.entry HAVING count(*) > 0;

SELECT registry.append_links('lineage', array_agg(lineage_id ORDER BY lineage_id), array_agg(sha256(convert_to(concat_ws(' ', 'entry_id=' || entry_id, 'lineage_id=' || lineage_id, 'part_of=' || part_of, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by), 'UTF8')) ORDER BY lineage_id))
FROM registry.lineage HAVING count(*) > 0;

SELECT registry.append_links('event', array_agg(event_id ORDER BY event_id), array_agg(sha256(convert_to(concat_ws(' ', 'account=' || length(account) || ':' || account, 'content=' || length(content::text) || ':' || content::text, 'document_no=' || length(document_no) || ':' || document_no, 'document_sha256=' || length(document_sha256) || ':' || document_sha256, 'drafted_row=' || drafted_row, 'entry_id=' || entry_id, 'event_id=' || event_id, 'from_state=' || length(from_state) || ':' || from_state, 'move=' || length(move) || ':' || move, 'move_id=' || move_id, 'on_date=' || (on_date - DATE '2000-01-01'), 'reason=' || length(reason) || ':' || reason, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'to_state=' || length(to_state) || ':' || to_state, 'version=' || version), 'UTF8')) ORDER BY event_id))
FROM registry.event HAVING count(*) > 0;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.procedure FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.move FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.paper FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.entry FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.lineage FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.event FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.link FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.low_efficiency FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.low_efficiency REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_low_efficiency();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.legacy FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.legacy REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_legacy();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.problem FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.problem REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_problem();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.unit FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.unit REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_unit();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.document FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.document REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_document();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.procedure FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER link_rows AFTER INSERT ON registry.procedure REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_procedure();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.move FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER check_rows AFTER INSERT ON registry.move REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.check_move();
CREATE TRIGGER link_rows AFTER INSERT ON registry.move REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_move();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.paper FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER check_rows AFTER INSERT ON registry.paper REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.check_paper();
CREATE TRIGGER link_rows AFTER INSERT ON registry.paper REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_paper();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.entry FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER check_rows AFTER INSERT ON registry.entry REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.check_entry();
CREATE TRIGGER link_rows AFTER INSERT ON registry.entry REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_entry();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.lineage FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER check_rows AFTER INSERT ON registry.lineage REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.check_lineage();
CREATE TRIGGER link_rows AFTER INSERT ON registry.lineage REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_lineage();
CREATE TRIGGER take_turn BEFORE INSERT ON registry.event FOR EACH STATEMENT EXECUTE FUNCTION registry.take_turn();
CREATE TRIGGER check_rows AFTER INSERT ON registry.event REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.check_event();
CREATE TRIGGER link_rows AFTER INSERT ON registry.event REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry.link_event();

CREATE VIEW registry.current_entry AS
    SELECT entry.entry_id, entry.register, entry.subject, entry.matter, entry.ordinal, entry.town_code, newest.version,
        newest.to_state AS state, came.on_date AS since, first.on_date AS first_on, newest.move, newest.on_date, newest.document_sha256,
        newest.document_no, newest.reason, newest.run_id, newest.drafted_row, newest.account, newest.recorded_at, newest.recorded_by
    FROM registry.entry
    JOIN LATERAL (
        SELECT * FROM registry.event WHERE event.entry_id = entry.entry_id ORDER BY event.version DESC LIMIT 1
    ) AS newest ON true
    JOIN LATERAL (
        SELECT event.on_date FROM registry.event
        WHERE event.entry_id = entry.entry_id AND event.from_state IS DISTINCT FROM event.to_state ORDER BY event.version DESC LIMIT 1
    ) AS came ON true
    JOIN registry.event AS first ON first.entry_id = entry.entry_id AND first.version = 1;
COMMENT ON VIEW registry.current_entry IS 'where each entry of the registers stands';
COMMENT ON COLUMN registry.current_entry.entry_id IS 'entry that was moved';
COMMENT ON COLUMN registry.current_entry.register IS 'register (库): low_efficiency, legacy, problem, unit, plan, project or disposal';
COMMENT ON COLUMN registry.current_entry.subject IS 'what it is of: code of a parcel, number of a unit or project, code of a town';
COMMENT ON COLUMN registry.current_entry.matter IS 'what of the subject: of a problem its question and clause, of a plan the year; else no letter';
COMMENT ON COLUMN registry.current_entry.ordinal IS 'how many times the subject has been in the register with this one';
COMMENT ON COLUMN registry.current_entry.town_code IS 'town (镇街代码) that it lay in when it was entered';
COMMENT ON COLUMN registry.current_entry.version IS 'number of the event among those of its entry, from 1';
COMMENT ON COLUMN registry.current_entry.state IS 'state that it is in';
COMMENT ON COLUMN registry.current_entry.since IS 'day on which it came into that state';
COMMENT ON COLUMN registry.current_entry.first_on IS 'day of its first event';
COMMENT ON COLUMN registry.current_entry.move IS 'name of the move';
COMMENT ON COLUMN registry.current_entry.on_date IS 'day from which it counts';
COMMENT ON COLUMN registry.current_entry.document_sha256 IS 'SHA-256 of the paper that it rests on';
COMMENT ON COLUMN registry.current_entry.document_no IS 'number of that paper (文号)';
COMMENT ON COLUMN registry.current_entry.reason IS 'why, where a reason was given';
COMMENT ON COLUMN registry.current_entry.run_id IS 'run that it rests on';
COMMENT ON COLUMN registry.current_entry.drafted_row IS 'row of the table of the register with its figures';
COMMENT ON COLUMN registry.current_entry.account IS 'account at the machine that it was typed on, as the program said; not proven';
COMMENT ON COLUMN registry.current_entry.recorded_at IS 'when it was recorded, by the clock of the database';
COMMENT ON COLUMN registry.current_entry.recorded_by IS 'role of the database that recorded it';

CREATE VIEW registry.state_day AS
    SELECT entry_id, to_state AS state, min(on_date) AS first_on, max(on_date) AS last_on, count(*) AS times
    FROM registry.event WHERE from_state IS DISTINCT FROM to_state GROUP BY entry_id, to_state;
COMMENT ON VIEW registry.state_day IS 'the days on which each entry came into each of its states';
COMMENT ON COLUMN registry.state_day.entry_id IS 'entry that was moved';
COMMENT ON COLUMN registry.state_day.state IS 'a state that it was in';
COMMENT ON COLUMN registry.state_day.first_on IS 'day on which it first came into it';
COMMENT ON COLUMN registry.state_day.last_on IS 'day on which it last came into it';
COMMENT ON COLUMN registry.state_day.times IS 'how many times it came into it';
