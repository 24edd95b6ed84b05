-- The tables as version 4 made them.
CREATE TABLE chats (
    id VARCHAR NOT NULL, created VARCHAR NOT NULL, draft TEXT NOT NULL, strength INTEGER NOT NULL,
    owner VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE TABLE turns (
    id INTEGER NOT NULL, chat_id VARCHAR NOT NULL, question TEXT NOT NULL, created VARCHAR NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(chat_id) REFERENCES chats (id) ON DELETE CASCADE);
CREATE INDEX ix_turns_chat_id ON turns (chat_id);
CREATE TABLE answers (
    turn_id INTEGER NOT NULL, lane VARCHAR NOT NULL, value JSON NOT NULL,
    PRIMARY KEY (turn_id, lane), FOREIGN KEY(turn_id) REFERENCES turns (id) ON DELETE CASCADE);
CREATE TABLE studies (
    id VARCHAR NOT NULL, name TEXT NOT NULL, created VARCHAR NOT NULL, state VARCHAR NOT NULL,
    criteria JSON NOT NULL, settings JSON NOT NULL, systems JSON NOT NULL, setup JSON NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE study_items (
    id INTEGER NOT NULL, study_id VARCHAR NOT NULL, question TEXT NOT NULL, history JSON NOT NULL,
    reference TEXT NOT NULL, topic TEXT NOT NULL, origin TEXT NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE);
CREATE INDEX ix_study_items_study_id ON study_items (study_id);
CREATE TABLE raters (
    id INTEGER NOT NULL, study_id VARCHAR NOT NULL, name TEXT NOT NULL, token VARCHAR NOT NULL,
    digest VARCHAR NOT NULL, created VARCHAR NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE, UNIQUE (digest));
CREATE INDEX ix_raters_study_id ON raters (study_id);
CREATE TABLE marks (
    turn_id INTEGER NOT NULL, lane VARCHAR NOT NULL, thumb INTEGER, score INTEGER, changed VARCHAR NOT NULL,
    PRIMARY KEY (turn_id, lane), FOREIGN KEY(turn_id) REFERENCES turns (id) ON DELETE CASCADE);
CREATE TABLE study_answers (
    item_id INTEGER NOT NULL, system VARCHAR NOT NULL, value JSON NOT NULL,
    PRIMARY KEY (item_id, system), FOREIGN KEY(item_id) REFERENCES study_items (id) ON DELETE CASCADE);
CREATE TABLE showings (
    id INTEGER NOT NULL, rater_id INTEGER NOT NULL, item_id INTEGER NOT NULL, place INTEGER NOT NULL,
    kind VARCHAR NOT NULL, systems JSON NOT NULL,
    PRIMARY KEY (id), UNIQUE (rater_id, place),
    FOREIGN KEY(rater_id) REFERENCES raters (id) ON DELETE CASCADE,
    FOREIGN KEY(item_id) REFERENCES study_items (id) ON DELETE CASCADE);
CREATE INDEX ix_showings_item_id ON showings (item_id);
CREATE TABLE votes (
    id INTEGER NOT NULL, showing_id INTEGER NOT NULL, "key" VARCHAR NOT NULL, value JSON NOT NULL,
    created VARCHAR NOT NULL,
    PRIMARY KEY (id), UNIQUE (showing_id, "key"),
    FOREIGN KEY(showing_id) REFERENCES showings (id) ON DELETE CASCADE);
CREATE TABLE guesses (
    showing_id INTEGER NOT NULL, looked_up JSON NOT NULL, created VARCHAR NOT NULL,
    PRIMARY KEY (showing_id), FOREIGN KEY(showing_id) REFERENCES showings (id) ON DELETE CASCADE);
PRAGMA user_version = 4;
