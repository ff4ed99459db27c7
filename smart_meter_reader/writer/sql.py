"""The tables of a fleet in PostgreSQL 14 or newer, and what is said to them.

``fleet_reading`` is one long table like that of the sink `postgresql`, with tenant and site before the meter
and the fence behind the value. ``fleet_edge`` has what was written of each edge, as ranges that merge.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 140000
WHO: Final = """
    SELECT current_setting('server_version') AS version, current_user AS who,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted"""
MISSING_COLUMNS: Final = """
    SELECT c.relation, c.name FROM unnest($1::text[], $2::text[]) AS c (relation, name)
    WHERE NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = to_regclass(c.relation) AND attname = c.name AND NOT attisdropped
    )"""
TABLES: Final = ("fleet_reading", "fleet_meter", "fleet_event", "fleet_edge")

# What this version reads and writes; a table may have more.
FIRST_COLUMNS: Final = {
    "fleet_reading": "tenant site meter quantity time value text unit fence outdated",
    "fleet_meter": "tenant site meter newest fence status_time status info_time info",
    "fleet_event": "tenant site source kind time body",
    "fleet_edge": "tenant site edge written refused",
}
# What came later, and is added to tables that have the first ones.
LATER_COLUMNS: Final = {
    "fleet_reading": {"device": "text"},
    "fleet_meter": {
        "device": "text",
        "device_since": "timestamptz",
        "device_before": "text[]",
        "device_mixed": "timestamptz",
    },
}
COLUMNS: Final = {
    table: " ".join((names, *LATER_COLUMNS.get(table, {}))) for table, names in FIRST_COLUMNS.items()
}
ALL_COLUMNS: Final = frozenset(name for names in COLUMNS.values() for name in names.split())
MISSING_RIGHTS: Final = """
    SELECT DISTINCT relation, current_user AS who
    FROM unnest($1::text[]) AS relation, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS r
    WHERE NOT has_table_privilege(relation, r) ORDER BY relation"""
CREATE: Final = (
    """
    CREATE TABLE IF NOT EXISTS fleet_reading (
        tenant text NOT NULL, site text NOT NULL, meter text NOT NULL, quantity text NOT NULL,
        time timestamptz NOT NULL, value numeric, text text, unit text NOT NULL,
        fence bigint, outdated boolean NOT NULL DEFAULT false,
        PRIMARY KEY (tenant, site, meter, quantity, time)
    )""",
    """
    CREATE TABLE IF NOT EXISTS fleet_meter (
        tenant text NOT NULL, site text NOT NULL, meter text NOT NULL,
        newest timestamptz, fence bigint, status_time timestamptz, status jsonb, info_time timestamptz,
        info jsonb,
        PRIMARY KEY (tenant, site, meter)
    )""",
    """
    CREATE TABLE IF NOT EXISTS fleet_event (
        tenant text NOT NULL, site text NOT NULL, source text NOT NULL, kind text NOT NULL,
        time timestamptz NOT NULL, body jsonb NOT NULL,
        PRIMARY KEY (tenant, site, source, kind, time)
    )""",
    """
    CREATE TABLE IF NOT EXISTS fleet_edge (
        tenant text NOT NULL, site text NOT NULL, edge text NOT NULL,
        written int8multirange NOT NULL DEFAULT '{}', refused int8multirange NOT NULL DEFAULT '{}',
        PRIMARY KEY (tenant, site, edge)
    )""",
    "COMMENT ON COLUMN fleet_reading.outdated IS "
    "'read by a machine that another had already replaced as the reader of this meter'",
)

ADD: Final = tuple(
    f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind}"
    for table, columns in LATER_COLUMNS.items()
    for name, kind in columns.items()
)

# All in the order of their keys, so that writers that meet in the same rows wait for each other and do not
# lock each other out.
# A clock that is ahead makes no reading newer than now: its meter would be late for nobody until then.
METERS: Final = """
    INSERT INTO fleet_meter AS known (tenant, site, meter, newest)
    SELECT t, s, m, LEAST(newest, now())
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS new (t, s, m, newest)
    ON CONFLICT (tenant, site, meter) DO UPDATE
    SET newest = GREATEST(LEAST(known.newest, now()), EXCLUDED.newest)
    RETURNING tenant, site, meter, fence, device, device_since, device_before, device_mixed"""
# Of rows that the statement before has locked.
FENCES: Final = """
    UPDATE fleet_meter AS known SET fence = f
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS new (t, s, m, f)
    WHERE (known.tenant, known.site, known.meter) = (t, s, m)"""
DEVICES: Final = """
    UPDATE fleet_meter AS known
    SET device = d, device_since = since, device_before = string_to_array(before, '/'), device_mixed = mixed
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[],
                $7::timestamptz[]) AS new (t, s, m, d, since, before, mixed)
    WHERE (known.tenant, known.site, known.meter) = (t, s, m)"""
READINGS: Final = """
    INSERT INTO fleet_reading
        (tenant, site, meter, quantity, time, value, text, unit, fence, outdated, device)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::numeric[],
                         $7::text[], $8::text[], $9::bigint[], $10::boolean[], $11::text[])
    ON CONFLICT DO NOTHING"""
EVENTS: Final = """
    INSERT INTO fleet_event (tenant, site, source, kind, time, body)
    SELECT t, s, m, k, at, b::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
         AS new (t, s, m, k, at, b)
    ON CONFLICT DO NOTHING"""
STATUSES: Final = """
    INSERT INTO fleet_meter AS known (tenant, site, meter, status_time, status)
    SELECT t, s, m, at, b::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) AS new (t, s, m, at, b)
    ON CONFLICT (tenant, site, meter) DO UPDATE
    SET status_time = EXCLUDED.status_time, status = EXCLUDED.status
    WHERE known.status_time IS NULL OR known.status_time <= EXCLUDED.status_time"""
INFOS: Final = STATUSES.replace("status", "info")
EDGES: Final = """
    INSERT INTO fleet_edge AS known (tenant, site, edge, written, refused)
    SELECT t, s, e, w::int8multirange, r::int8multirange
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS new (t, s, e, w, r)
    ON CONFLICT (tenant, site, edge) DO UPDATE
    SET written = known.written + EXCLUDED.written, refused = known.refused + EXCLUDED.refused"""
ASKED: Final = """
    SELECT (written * $4::text::int8multirange)::text AS written,
           (refused * $4::text::int8multirange)::text AS refused
    FROM fleet_edge WHERE tenant = $1 AND site = $2 AND edge = $3"""
AGES: Final = """
    SELECT tenant, site, meter, newest, status ->> 'state' AS state, status ->> 'reason' AS reason
    FROM fleet_meter WHERE newest IS NOT NULL ORDER BY newest LIMIT $1"""
COUNTS: Final = """
    SELECT count(*) AS meters, count(*) FILTER (WHERE newest < now() - $1::interval) AS late,
           count(*) FILTER (WHERE device_mixed > now() - interval '1 day') AS mixed, min(newest) AS oldest
    FROM fleet_meter WHERE newest IS NOT NULL"""
PAGE: Final = """
    SELECT tenant, site, meter, newest, status ->> 'state' AS state, status ->> 'reason' AS reason,
           info ->> 'model' AS model, coalesce(device_mixed > now() - interval '1 day', false) AS mixed
    FROM fleet_meter ORDER BY tenant, site, meter LIMIT $1"""
