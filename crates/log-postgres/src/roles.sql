-- What each role may, where there are such roles: cvco_node serves, cvco_reader looks.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cvco_node') THEN
    GRANT SELECT, INSERT ON log TO cvco_node;
    GRANT SELECT, INSERT, DELETE ON payloads TO cvco_node;
    GRANT SELECT, UPDATE ON head, lease TO cvco_node;
    GRANT SELECT, INSERT, UPDATE, DELETE ON nodes TO cvco_node;
    GRANT SELECT, UPDATE ON meta TO cvco_node;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cvco_reader') THEN
    GRANT SELECT ON log, head, lease, nodes, meta TO cvco_reader;
  END IF;
END $$;
