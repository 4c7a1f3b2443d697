-- Runs once, when the database is made: the log's own role, which is no superuser.
\getenv password RATCHET_PASSWORD
CREATE ROLE ratchet LOGIN PASSWORD :'password';
CREATE DATABASE ratchet OWNER ratchet;
REVOKE CONNECT ON DATABASE ratchet FROM PUBLIC;
