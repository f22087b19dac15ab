BEGIN TRANSACTION;
CREATE TABLE collaboration_events (
                            seq INTEGER PRIMARY KEY AUTOINCREMENT,
                            task_id TEXT NOT NULL,
                            agent_id TEXT NOT NULL,
                            event_type TEXT NOT NULL,
                            content TEXT NOT NULL,
                            request_id TEXT,
                            created_at TEXT NOT NULL,
                            UNIQUE(task_id, request_id)
                        );
INSERT INTO "collaboration_events" VALUES(1,'9fe14424','backend_dev','update','API endpoints: /login, /logout',NULL,'2026-11-21T21:36:02.889392');
INSERT INTO "collaboration_events" VALUES(2,'9fe14424','backend_dev','progress','50% - login endpoint done',NULL,'2026-11-21T21:36:03.483459');
INSERT INTO "collaboration_events" VALUES(3,'9fe14424','frontend_dev','discovery','CORS needed on /login',NULL,'2026-11-21T21:36:03.970620');
CREATE TABLE dependencies (
                            task_id TEXT NOT NULL,
                            depends_on TEXT NOT NULL,
                            PRIMARY KEY (task_id, depends_on)
                        );
INSERT INTO "dependencies" VALUES('05957b63','9fe14424');
INSERT INTO "dependencies" VALUES('4beb3d8c','05957b63');
CREATE TABLE notifications (
                            id INTEGER PRIMARY KEY AUTOINCREMENT,
                            agent_id TEXT,
                            task_id TEXT,
                            type TEXT NOT NULL,
                            message TEXT NOT NULL,
                            created_at TEXT NOT NULL,
                            read BOOLEAN DEFAULT 0
                        );
INSERT INTO "notifications" VALUES(1,NULL,'9fe14424','discovery','DISCOVERY in 9fe14424: CORS needed on /login','2026-11-21T21:36:03.973273',0);
CREATE TABLE participants (
                            task_id TEXT NOT NULL,
                            agent_id TEXT NOT NULL,
                            joined_at TEXT NOT NULL,
                            PRIMARY KEY (task_id, agent_id)
                        );
INSERT INTO "participants" VALUES('9fe14424','backend_dev','2026-11-21T21:36:02.886605');
INSERT INTO "participants" VALUES('9fe14424','frontend_dev','2026-11-21T21:36:03.967891');
CREATE TABLE phase_dependencies (
                            id TEXT PRIMARY KEY,
                            phase_id TEXT NOT NULL,
                            depends_on_phase_id TEXT NOT NULL,
                            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                            FOREIGN KEY (phase_id) REFERENCES phases(id),
                            FOREIGN KEY (depends_on_phase_id) REFERENCES phases(id),
                            UNIQUE(phase_id, depends_on_phase_id)
                        );
CREATE TABLE phase_gates (
                            id TEXT PRIMARY KEY,
                            phase_id TEXT NOT NULL,
                            gate_type TEXT NOT NULL CHECK(gate_type IN ('task_completion', 'approval', 'custom')),
                            criteria TEXT NOT NULL,
                            status TEXT DEFAULT 'pending' CHECK(status IN ('pending', 'passed', 'failed', 'overridden')),
                            override_reason TEXT,
                            override_by TEXT,
                            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                            evaluated_at TIMESTAMP,
                            FOREIGN KEY (phase_id) REFERENCES phases(id)
                        );
CREATE TABLE phases (
                            id TEXT PRIMARY KEY,
                            name TEXT NOT NULL,
                            description TEXT,
                            status TEXT DEFAULT 'planning' CHECK(status IN ('planning', 'active', 'blocked', 'completed', 'archived')),
                            parent_phase_id TEXT,
                            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                            started_at TIMESTAMP,
                            completed_at TIMESTAMP,
                            FOREIGN KEY (parent_phase_id) REFERENCES phases(id)
                        );
CREATE TABLE tasks (
                            id TEXT PRIMARY KEY,
                            title TEXT NOT NULL,
                            description TEXT,
                            status TEXT DEFAULT 'pending',
                            priority TEXT DEFAULT 'medium',
                            assignee TEXT,
                            created_by TEXT NOT NULL DEFAULT 'user',
                            created_at TEXT NOT NULL,
                            updated_at TEXT NOT NULL,
                            completed_at TEXT,
                            success_criteria TEXT,
                            feedback_quality INTEGER,
                            feedback_timeliness INTEGER,
                            feedback_notes TEXT,
                            completion_summary TEXT,
                            deadline TEXT,
                            estimated_hours REAL,
                            actual_hours REAL,
                            context TEXT
                        , phase_id TEXT REFERENCES phases(id));
INSERT INTO "tasks" VALUES('9fe14424','Build auth API','WHY: secure foundation WHAT: OAuth2 and sessions DONE: users can log in','pending','high','backend_dev','orchestrator','2026-11-21T21:35:51.975764','2026-11-21T21:36:03.970620',NULL,'[{"criterion":"All tests pass","measurable":"test_suite.exit_code == 0"},{"criterion":"Response time","measurable":"avg_response_time < 200"}]',NULL,NULL,NULL,NULL,'2026-12-31T00:00:00Z',8.0,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('05957b63','Create login UI',NULL,'blocked',NULL,'frontend_dev','orchestrator','2026-11-21T21:36:02.235877','2026-11-21T21:36:02.235877',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('4beb3d8c','End-to-end login test',NULL,'blocked','medium','qa','orchestrator','2026-11-21T21:36:02.451795','2026-11-21T21:36:02.451795',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('7cc4c669','Write ADR',NULL,'completed','low',NULL,'orchestrator','2026-11-21T21:36:04.211063','2026-11-21T21:36:04.211063','2026-11-21T21:36:04.544327',NULL,5,4,'clear','ADR 7 written',NULL,NULL,1.5,NULL,NULL);
CREATE INDEX idx_collab_events_task_seq
                        ON collaboration_events(task_id, seq)
                    ;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('collaboration_events',3);
INSERT INTO "sqlite_sequence" VALUES('notifications',1);
COMMIT;
