-- Whether the owner tells other servers whom they distrust. No row: it was never told to anybody.
CREATE TABLE published_blacklist (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    is_on INTEGER NOT NULL CHECK (is_on IN (0, 1))
) STRICT;

-- What other owners advised and this one does not want to be shown again, by its hash: it is said anew with every link.
CREATE TABLE dismissed_advice (
    place INTEGER PRIMARY KEY,
    advice BLOB NOT NULL UNIQUE CHECK (length(advice) = 32)
) STRICT;
