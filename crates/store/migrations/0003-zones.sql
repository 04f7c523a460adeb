-- What the owner says a network counts as.
CREATE TABLE zone (
    -- An interface's name, or an address prefix.
    subject TEXT PRIMARY KEY,
    zone TEXT NOT NULL CHECK (zone IN ('open', 'part97'))
) STRICT;
