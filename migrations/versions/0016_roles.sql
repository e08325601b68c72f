-- Functions of roles, and those that guard the registry, which run from now on with the rights of their owner.

CREATE OR REPLACE FUNCTION lowland.my_roles()
RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(role ORDER BY place), '{}') FROM lowland.role
    WHERE pg_has_role(session_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'registry'), 'MEMBER')
        OR EXISTS (SELECT FROM pg_roles WHERE rolname = role.name AND pg_has_role(session_user, pg_roles.oid, 'MEMBER'))
$$;

CREATE OR REPLACE FUNCTION lowland.my_towns()
RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT town_code FROM lowland.clerk WHERE person = session_user
$$;

CREATE OR REPLACE FUNCTION lowland.accounts()
RETURNS TABLE (person text, role text, towns text[]) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT member.rolname::text, role.role, CASE role.role WHEN 'town' THEN ARRAY(
        SELECT town_code FROM lowland.clerk WHERE clerk.person = member.rolname ORDER BY town_code
    ) END
    FROM lowland.role JOIN pg_roles AS held ON held.rolname = role.name JOIN pg_auth_members ON roleid = held.oid
    JOIN pg_roles AS member ON member.oid = pg_auth_members.member
    WHERE NOT EXISTS (SELECT FROM lowland.role AS other WHERE other.name = member.rolname)
        AND member.oid <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'registry')
        AND (member.rolname = session_user OR 'admin' = ANY (lowland.my_roles()))
    ORDER BY 1, role.place
$$;

CREATE OR REPLACE FUNCTION lowland.give_role(person text, wanted text, town text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held name;
BEGIN
    SELECT name INTO held FROM lowland.role WHERE role.role = wanted;
    IF held IS NULL OR (wanted = 'town') <> (town IS NOT NULL) THEN
        RAISE EXCEPTION '%: no role that is given out, or not with a town', wanted USING ERRCODE = 'LR012';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = person) OR EXISTS (SELECT FROM lowland.role WHERE name = person)
        OR person = (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'registry') THEN
        RAISE EXCEPTION '%: no account of a person', person USING ERRCODE = 'LR012';
    END IF;
    EXECUTE format('GRANT %I TO %I', held, person);
    IF town IS NOT NULL THEN
        INSERT INTO lowland.clerk (person, town_code) VALUES (person, town) ON CONFLICT DO NOTHING;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION lowland.take_role(person text, wanted text, town text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held name;
BEGIN
    SELECT name INTO held FROM lowland.role WHERE role.role = wanted;
    IF held IS NULL OR (wanted = 'town') <> (town IS NOT NULL) THEN
        RAISE EXCEPTION '%: no role that is given out, or not with a town', wanted USING ERRCODE = 'LR012';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = person) OR EXISTS (SELECT FROM lowland.role WHERE name = person)
        OR person = (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'registry') THEN
        RAISE EXCEPTION '%: no account of a person', person USING ERRCODE = 'LR012';
    END IF;
    DELETE FROM lowland.clerk WHERE clerk.person = take_role.person AND clerk.town_code = town;
    IF town IS NULL OR NOT EXISTS (SELECT FROM lowland.clerk WHERE clerk.person = take_role.person) THEN
        EXECUTE format('REVOKE %I FROM %I', held, person);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION lowland.watch_rows(target text, condition text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    all_of text;
    of_towns text;
BEGIN
    SELECT string_agg(format('%I', rolname), ', ') FILTER (WHERE role.role IS DISTINCT FROM 'town'),
        string_agg(format('%I', rolname), ', ') FILTER (WHERE role.role = 'town')
    INTO all_of, of_towns FROM pg_roles LEFT JOIN lowland.role ON role.name = rolname
    WHERE role.role IN ('reader', 'town') OR pg_roles.oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'registry');
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('DROP POLICY IF EXISTS all_rows ON %s', target);
    EXECUTE format('DROP POLICY IF EXISTS own_towns ON %s', target);
    EXECUTE format('CREATE POLICY all_rows ON %s TO %s USING (true) WITH CHECK (true)', target, all_of);
    IF of_towns IS NOT NULL THEN
        EXECUTE format('CREATE POLICY own_towns ON %s TO %s USING (%s) WITH CHECK (%s)', target, of_towns, condition, condition);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION land_part.make_part(whole text, version bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('land_part.%I', whole || '_' || version);
    loads name;
    each record;
BEGIN
    IF whole NOT IN ('parcel', 'feature') THEN
        RAISE EXCEPTION '%: no table of the land that has parts', whole USING ERRCODE = 'undefined_table';
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE land.%I INCLUDING COMMENTS, CONSTRAINT one_delivery CHECK (version_id = %s))', part, whole, version);
    FOR each IN
        SELECT attname, pg_get_serial_sequence(format('land.%I', whole), attname) AS numbers FROM pg_attribute
        WHERE attrelid = format('land.%I', whole)::regclass AND attnum > 0 AND NOT attisdropped
    LOOP
        IF each.attname IN ('attributes', 'geom_received') THEN
            EXECUTE format('ALTER TABLE %s ALTER %I SET STATISTICS 0', part, each.attname);
        END IF;
        IF each.numbers IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %s ALTER %I SET DEFAULT nextval(%L)', part, each.attname, each.numbers);
        END IF;
    END LOOP;
    SELECT rolname INTO loads FROM pg_roles JOIN lowland.role ON role.name = rolname WHERE role.role = 'analyst';
    IF FOUND THEN
        EXECUTE format('GRANT SELECT, INSERT ON %s TO %I', part, loads);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION land_part.attach_part(whole text, version bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('land_part.%I', whole || '_' || version);
    loads name;
    each record;
BEGIN
    IF whole NOT IN ('parcel', 'feature') THEN
        RAISE EXCEPTION '%: no table of the land that has parts', whole USING ERRCODE = 'undefined_table';
    END IF;
    FOR each IN
        SELECT indisprimary, amname, (
            SELECT string_agg(pg_get_indexdef(indexrelid, nth, true), ', ' ORDER BY nth) FROM generate_series(1, indnkeyatts) AS nth
        ) AS names
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
        WHERE indrelid = format('land.%I', whole)::regclass ORDER BY NOT indisprimary, indexrelid
    LOOP
        EXECUTE CASE WHEN each.indisprimary THEN format('ALTER TABLE %s ADD PRIMARY KEY (%s)', part, each.names)
            ELSE format('CREATE INDEX ON %s USING %I (%s)', part, each.amname, each.names) END;
    END LOOP;
    FOR each IN SELECT attname FROM pg_attribute WHERE attrelid = part::regclass AND atthasdef AND attnum > 0 AND NOT attisdropped LOOP
        EXECUTE format('ALTER TABLE %s ALTER %I DROP DEFAULT', part, each.attname);
    END LOOP;
    EXECUTE format('ALTER TABLE land.%I ATTACH PARTITION %s FOR VALUES IN (%s)', whole, part, version);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT one_delivery', part);
    SELECT rolname INTO loads FROM pg_roles JOIN lowland.role ON role.name = rolname WHERE role.role = 'analyst';
    IF FOUND THEN
        EXECUTE format('REVOKE ALL ON %s FROM %I', part, loads);
    END IF;
    IF whole = 'parcel' THEN
        PERFORM lowland.watch_rows(part, 'town_code = ANY (ARRAY(SELECT lowland.my_towns()))');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION registry.await_turn()
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE registry.link IN SHARE ROW EXCLUSIVE MODE;
END $$;

CREATE OR REPLACE FUNCTION registry.check_event()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong record;
    mine text[] := lowland.my_roles();
    towns text[] := ARRAY(SELECT lowland.my_towns());
BEGIN
    SELECT * INTO wrong FROM (
        SELECT fresh.*, rule.roles, entry.town_code, rule.document, rule.days, rule.since, before.on_date AS day_before, before.to_state AS stands,
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
                WHEN NOT (rule.roles && array_remove(mine, 'town') OR '{town}' <@ rule.roles AND '{town}' <@ mine
                    AND (entry.town_code = ANY (towns)) IS TRUE) THEN 'LR011'
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
        WHEN 'LR011' THEN format('%s: the move %s is recorded by %s; %s is %s', wrong.label, wrong.move,
            array_to_string(array_replace(wrong.roles, 'town', 'town (of ' || coalesce(wrong.town_code, 'no town known') || ')'), ' or '), session_user,
            coalesce(nullif(array_to_string(array_remove(mine, 'reader') || towns, ', '), ''), 'none of them'))
        WHEN 'LR002' THEN format('%s: the move %s needs a paper: %s', wrong.label, wrong.move, wrong.document)
        WHEN 'LR010' THEN format('%s: there is no paper sha256:%s in the registry', wrong.label, wrong.document_sha256)
        WHEN 'LR003' THEN format('%s: the move %s needs a reason', wrong.label, wrong.move)
        WHEN 'LR006' THEN format('%s: %s lies in the future, or before the move before it (%s)', wrong.label, wrong.on_date, wrong.day_before)
        WHEN 'LR004' THEN format('%s: the move %s may be made %s days after %s, so not before %s', wrong.label, wrong.move, wrong.days, wrong.since, wrong.free_on)
    END;
END $$;

CREATE OR REPLACE FUNCTION registry.check_entry()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE has_file <> (content IS NOT NULL) OR encode(sha256(content), 'hex') <> sha256) THEN
        RAISE EXCEPTION 'a paper is not the file that its digest names' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.check_move()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh JOIN registry.procedure USING (procedure_id) WHERE procedure.recorded_at <> now()) THEN
        RAISE EXCEPTION 'a move is recorded with its procedure, not later' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.check_lineage()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE part_of >= entry_id) THEN
        RAISE EXCEPTION 'an entry was part of earlier entries only' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_low_efficiency()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM registry.append_links('low_efficiency', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'entry_id=' || entry_id, 'kind=' || length(kind) || ':' || kind, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'rule=' || length(rule) || ':' || rule, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_legacy()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM registry.append_links('legacy', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'clauses=' || length(clauses::text) || ':' || clauses::text, 'entry_id=' || entry_id, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'retention=' || length(retention) || ':' || retention, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_problem()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM registry.append_links('problem', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'clause=' || length(clause) || ':' || clause, 'entry_id=' || entry_id, 'needed=' || length(needed) || ':' || needed, 'office=' || length(office) || ':' || office, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'question=' || length(question) || ':' || question, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_unit()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM registry.append_links('unit', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'area_m2=' || encode(float8send(area_m2), 'hex'), 'entry_id=' || entry_id, 'geom=' || encode(sha256(geom::bytea), 'hex'), 'ledger=' || length(ledger::text) || ':' || ledger::text, 'low_share=' || encode(float8send(low_share), 'hex'), 'members=' || length(members::text) || ':' || members::text, 'number=' || length(number) || ':' || number, 'parcels=' || length(parcels::text) || ':' || parcels::text, 'reason=' || length(reason) || ':' || reason, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'replaces=' || length(replaces::text) || ':' || replaces::text, 'run_id=' || run_id, 'state=' || length(state) || ':' || state, 'town_code=' || length(town_code) || ':' || town_code, 'unit_id=' || length(unit_id) || ':' || unit_id, 'value_m2=' || encode(float8send(value_m2), 'hex')), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_document()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM registry.append_links('document', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'condition=' || length(condition) || ':' || condition, 'entry_id=' || entry_id, 'file_name=' || length(file_name) || ':' || file_name, 'parcel_id=' || length(parcel_id) || ':' || parcel_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'says=' || says::integer, 'sha256=' || length(sha256) || ':' || sha256, 'size_bytes=' || size_bytes, 'state=' || length(state) || ':' || state), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_procedure()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'procedure: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('procedure', array_agg(procedure_id ORDER BY procedure_id), array_agg(sha256(convert_to(concat_ws(' ', 'content=' || length(content::text) || ':' || content::text, 'digest=' || length(digest) || ':' || digest, 'procedure_id=' || procedure_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'weaker=' || length(weaker::text) || ':' || weaker::text), 'UTF8')) ORDER BY procedure_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_move()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'move: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('move', array_agg(move_id ORDER BY move_id), array_agg(sha256(convert_to(concat_ws(' ', 'days=' || days, 'document=' || length(document) || ':' || document, 'ends=' || ends::integer, 'from_state=' || length(from_state) || ':' || from_state, 'move_id=' || move_id, 'name=' || length(name) || ':' || name, 'needs_reason=' || needs_reason::integer, 'procedure_id=' || procedure_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'register=' || length(register) || ':' || register, 'roles=' || length(to_jsonb(roles)::text) || ':' || to_jsonb(roles)::text, 'since=' || length(since) || ':' || since, 'title=' || length(title) || ':' || title, 'to_state=' || length(to_state) || ':' || to_state, 'verb=' || length(verb) || ':' || verb), 'UTF8')) ORDER BY move_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_paper()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'paper: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('paper', array_agg(paper_id ORDER BY paper_id), array_agg(sha256(convert_to(concat_ws(' ', 'content=' || encode(sha256(content), 'hex'), 'file_name=' || length(file_name) || ':' || file_name, 'has_file=' || has_file::integer, 'paper_id=' || paper_id, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'sha256=' || length(sha256) || ':' || sha256, 'size_bytes=' || size_bytes), 'UTF8')) ORDER BY paper_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_entry()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'entry: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('entry', array_agg(entry_id ORDER BY entry_id), array_agg(sha256(convert_to(concat_ws(' ', 'entry_id=' || entry_id, 'matter=' || length(matter) || ':' || matter, 'ordinal=' || ordinal, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'register=' || length(register) || ':' || register, 'subject=' || length(subject) || ':' || subject, 'town_code=' || length(town_code) || ':' || town_code), 'UTF8')) ORDER BY entry_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_lineage()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'lineage: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('lineage', array_agg(lineage_id ORDER BY lineage_id), array_agg(sha256(convert_to(concat_ws(' ', 'entry_id=' || entry_id, 'lineage_id=' || lineage_id, 'part_of=' || part_of, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by), 'UTF8')) ORDER BY lineage_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registry.link_event()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION 'event: who records, and when, is said by the database' USING ERRCODE = 'LR008';
    END IF;
    PERFORM registry.append_links('event', array_agg(event_id ORDER BY event_id), array_agg(sha256(convert_to(concat_ws(' ', 'account=' || length(account) || ':' || account, 'content=' || length(content::text) || ':' || content::text, 'document_no=' || length(document_no) || ':' || document_no, 'document_sha256=' || length(document_sha256) || ':' || document_sha256, 'drafted_row=' || drafted_row, 'entry_id=' || entry_id, 'event_id=' || event_id, 'from_state=' || length(from_state) || ':' || from_state, 'move=' || length(move) || ':' || move, 'move_id=' || move_id, 'on_date=' || (on_date - DATE '2000-01-01'), 'reason=' || length(reason) || ':' || reason, 'recorded_at=' || extract(epoch FROM recorded_at), 'recorded_by=' || length(recorded_by) || ':' || recorded_by, 'run_id=' || run_id, 'to_state=' || length(to_state) || ':' || to_state, 'version=' || version), 'UTF8')) ORDER BY event_id))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;
