"""What the database itself does of roles: functions that say who is at work, give roles out, and make the parts of the land."""

# All of the SQL here is of words and names of this program.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterator

from lowland_gis import schema
from lowland_gis.db.connect import OWN_REFUSALS
from lowland_gis.db.privileges import town_condition

NO_ACCOUNT = f"{OWN_REFUSALS}012"

# By the account that connected, whatever role it has put on since: SET ROLE takes nothing away and gives nothing.
MY_ROLES = """
RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(role ORDER BY place), '{}') FROM lowland.role
    WHERE pg_has_role(session_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'registry'), 'MEMBER')
        OR EXISTS (SELECT FROM pg_roles WHERE rolname = role.name AND pg_has_role(session_user, pg_roles.oid, 'MEMBER'))
$$
"""
MY_TOWNS = """
RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT town_code FROM lowland.clerk WHERE person = session_user
$$
"""
ACCOUNTS = """
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
$$
"""
# Who may give roles out may not make himself the owner, or one role a member of another.
_CHECK = f"""
    SELECT name INTO held FROM lowland.role WHERE role.role = wanted;
    IF held IS NULL OR (wanted = 'town') <> (town IS NOT NULL) THEN
        RAISE EXCEPTION '%: no role that is given out, or not with a town', wanted USING ERRCODE = '{NO_ACCOUNT}';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = person) OR EXISTS (SELECT FROM lowland.role WHERE name = person)
        OR person = (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'registry') THEN
        RAISE EXCEPTION '%: no account of a person', person USING ERRCODE = '{NO_ACCOUNT}';
    END IF;"""
GIVE_ROLE = f"""
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held name;
BEGIN{_CHECK}
    EXECUTE format('GRANT %I TO %I', held, person);
    IF town IS NOT NULL THEN
        INSERT INTO lowland.clerk (person, town_code) VALUES (person, town) ON CONFLICT DO NOTHING;
    END IF;
END $$
"""
TAKE_ROLE = f"""
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held name;
BEGIN{_CHECK}
    DELETE FROM lowland.clerk WHERE clerk.person = take_role.person AND clerk.town_code = town;
    IF town IS NULL OR NOT EXISTS (SELECT FROM lowland.clerk WHERE clerk.person = take_role.person) THEN
        EXECUTE format('REVOKE %I FROM %I', held, person);
    END IF;
END $$
"""
# A policy names roles, so it is written anew where they are others: after a restore, or once an administrator has made them.
WATCH_ROWS = """
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
END $$
"""

# Only the owner of a table makes parts of it, so the analyst who loads a delivery has it done.
_PART = """
    IF whole NOT IN ('parcel', 'feature') THEN
        RAISE EXCEPTION '%: no table of the land that has parts', whole USING ERRCODE = 'undefined_table';
    END IF;"""
# The check is that of the partition to be, so that attaching need not read the rows again. No statement is planned by what is usual in
# the columns without statistics, and to find it out takes longer than for all others together.
MAKE_PART = f"""
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('land_part.%I', whole || '_' || version);
    loads name;
    each record;
BEGIN{_PART}
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
END $$
"""
ATTACH_PART = f"""
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('land_part.%I', whole || '_' || version);
    loads name;
    each record;
BEGIN{_PART}
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
        PERFORM lowland.watch_rows(part, '{town_condition(schema.PARCEL)}');
    END IF;
END $$
"""


def functions() -> Iterator[tuple[str, str, str]]:
    """Yield schema, signature and definition of every function of roles and parts, what others call first."""
    yield "lowland", "my_roles()", MY_ROLES
    yield "lowland", "my_towns()", MY_TOWNS
    yield "lowland", "accounts()", ACCOUNTS
    yield "lowland", "give_role(person text, wanted text, town text)", GIVE_ROLE
    yield "lowland", "take_role(person text, wanted text, town text)", TAKE_ROLE
    yield "lowland", "watch_rows(target text, condition text)", WATCH_ROWS
    yield "land_part", "make_part(whole text, version bigint)", MAKE_PART
    yield "land_part", "attach_part(whole text, version bigint)", ATTACH_PART
