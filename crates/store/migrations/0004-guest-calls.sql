-- Whether the owner lets guests call each other.
ALTER TABLE claim ADD COLUMN guest_calls INTEGER NOT NULL DEFAULT 0 CHECK (guest_calls IN (0, 1));
