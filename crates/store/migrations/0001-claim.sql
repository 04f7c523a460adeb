-- Certificates that somebody verified: their signatures were checked before they came here.
CREATE TABLE certificate (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of the issuer's SPKI and the TBSCertificate: one row, however its signature is written.
    identity BLOB NOT NULL UNIQUE CHECK (length(identity) = 32),
    -- SHA-256 of the DER: a label.
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    key_id BLOB NOT NULL CHECK (length(key_id) = 32),
    callsign TEXT NOT NULL,
    der BLOB NOT NULL
) STRICT;

CREATE INDEX certificate_key_id ON certificate (key_id);
CREATE INDEX certificate_callsign ON certificate (callsign);

-- The certificates whose keys the owner trusts without anybody else's word.
CREATE TABLE anchor (
    certificate INTEGER PRIMARY KEY REFERENCES certificate (id)
) STRICT;

-- Who owns this server. One row, or none.
CREATE TABLE claim (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    owner INTEGER NOT NULL REFERENCES certificate (id),
    server INTEGER NOT NULL REFERENCES certificate (id),
    station_name TEXT,
    grid TEXT,
    licence_class TEXT,
    open_to_network INTEGER NOT NULL CHECK (open_to_network IN (0, 1))
) STRICT;

-- The certificates above the owner's, from its issuer's (place 0) to the self-signed one.
CREATE TABLE owner_chain (
    place INTEGER PRIMARY KEY,
    certificate INTEGER NOT NULL REFERENCES certificate (id)
) STRICT;
