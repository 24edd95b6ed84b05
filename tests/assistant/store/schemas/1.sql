-- The tables as version 1 made them.
CREATE TABLE chats (
    id VARCHAR NOT NULL, created VARCHAR NOT NULL, draft TEXT NOT NULL, PRIMARY KEY (id));
CREATE TABLE turns (
    id INTEGER NOT NULL, chat_id VARCHAR NOT NULL, question TEXT NOT NULL, created VARCHAR NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(chat_id) REFERENCES chats (id) ON DELETE CASCADE);
CREATE INDEX ix_turns_chat_id ON turns (chat_id);
CREATE TABLE answers (
    turn_id INTEGER NOT NULL, lane VARCHAR NOT NULL, value JSON NOT NULL,
    PRIMARY KEY (turn_id, lane), FOREIGN KEY(turn_id) REFERENCES turns (id) ON DELETE CASCADE);
PRAGMA user_version = 1;
