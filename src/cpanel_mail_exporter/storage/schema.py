"""The tables of a ledger's file, as the steps that lead to them.

A step is never changed once it was released: files hold what it made. A new one goes to the end.
"""

APPLICATION_ID = 0x6D61696C
"""Says in a file's header that it is a ledger ("mail")."""

_WITH_A_PROVIDER = (
    "name IN ('events', 'time_to_deliver_seconds_bucket', 'time_to_deliver_seconds_sum')"
)


def _renamed(old: str, new: str) -> tuple[str, ...]:
    """Counters of the provider *old* become those of *new*, added to them where they exist.

    No other label of these counters ever had such a value. Part of a released step.
    """
    concerned = f"{_WITH_A_PROVIDER} AND instr(labels, '\"{old}\"')"
    return (
        (
            f"INSERT INTO counter SELECT name, replace(labels, '\"{old}\"', '\"{new}\"'), value"  # noqa: S608
            f" FROM counter WHERE {concerned}"
            " ON CONFLICT DO UPDATE SET value = value + excluded.value"
        ),
        f"DELETE FROM counter WHERE {concerned}",  # noqa: S608
    )


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Keyed by the second a message was sent in: what is read together lies together, and is
        # forgotten together.
        """CREATE TABLE event (
            second INTEGER NOT NULL,
            identity INTEGER NOT NULL,
            recipient INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            copies INTEGER NOT NULL,
            PRIMARY KEY (second, identity)
        ) WITHOUT ROWID""",
        """CREATE TABLE deferral (
            second INTEGER NOT NULL,
            recipient INTEGER NOT NULL,
            action_unix INTEGER NOT NULL,
            copies INTEGER NOT NULL,
            PRIMARY KEY (second, recipient, action_unix)
        ) WITHOUT ROWID""",
        """CREATE TABLE sized (
            second INTEGER NOT NULL,
            message INTEGER NOT NULL,
            direction INTEGER NOT NULL,
            PRIMARY KEY (second, message, direction)
        ) WITHOUT ROWID""",
        """CREATE TABLE pending (
            action_unix INTEGER NOT NULL,
            second INTEGER NOT NULL,
            recipient INTEGER NOT NULL,
            direction INTEGER NOT NULL,
            copies INTEGER NOT NULL,
            PRIMARY KEY (action_unix, second, recipient, direction)
        ) WITHOUT ROWID""",
        # Labels are JSON arrays of texts.
        """CREATE TABLE counter (
            name TEXT NOT NULL,
            labels TEXT NOT NULL,
            value INTEGER NOT NULL,
            PRIMARY KEY (name, labels)
        ) WITHOUT ROWID""",
        """CREATE TABLE seat (
            labels TEXT NOT NULL PRIMARY KEY,
            has_series INTEGER NOT NULL,
            volume INTEGER NOT NULL,
            day INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE cursor (
            key TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE slice (
            second INTEGER NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) WITHOUT ROWID""",
        # One row: which file this is, and the number of its last commit.
        """CREATE TABLE edition (
            born TEXT NOT NULL,
            serial INTEGER NOT NULL
        )""",
        "INSERT INTO edition VALUES (lower(hex(randomblob(16))), 0)",
    ),
    (
        # Until here there was one budget, that of users.
        """CREATE TABLE place (
            family TEXT NOT NULL,
            labels TEXT NOT NULL,
            has_series INTEGER NOT NULL,
            volume INTEGER NOT NULL,
            day INTEGER NOT NULL,
            PRIMARY KEY (family, labels)
        ) WITHOUT ROWID""",
        "INSERT INTO place SELECT 'user_events', labels, has_series, volume, day FROM seat",
        "DROP TABLE seat",
        "ALTER TABLE place RENAME TO seat",
        # Mailbox providers have other words: counters go on under these.
        *_renamed("gmail", "google"),
        *_renamed("outlook", "microsoft"),
        *_renamed("icloud", "apple"),
    ),
    (
        # What users did, by slots of five minutes of action time. A user is a JSON string, as in
        # labels; a sketch a whole number, the lowest byte first.
        """CREATE TABLE activity (
            slot INTEGER NOT NULL,
            user TEXT NOT NULL,
            tried INTEGER NOT NULL,
            delivered INTEGER NOT NULL,
            deferred INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            unknown INTEGER NOT NULL,
            stopped INTEGER NOT NULL,
            addresses BLOB NOT NULL,
            networks BLOB NOT NULL,
            recipients BLOB NOT NULL,
            PRIMARY KEY (slot, user)
        ) WITHOUT ROWID""",
        # What the slots of an hour came to. Asked for by user.
        """CREATE TABLE activity_hour (
            user TEXT NOT NULL,
            hour INTEGER NOT NULL,
            tried INTEGER NOT NULL,
            delivered INTEGER NOT NULL,
            deferred INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            unknown INTEGER NOT NULL,
            stopped INTEGER NOT NULL,
            peak INTEGER NOT NULL,
            addresses INTEGER NOT NULL,
            networks INTEGER NOT NULL,
            PRIMARY KEY (user, hour)
        ) WITHOUT ROWID""",
    ),
)

TABLES = frozenset(
    (
        *("event", "deferral", "sized", "pending"),
        *("counter", "seat", "cursor", "slice", "edition"),
        *("activity", "activity_hour"),
    )
)
