"""`docs/lineage.md`: nothing of the four older systems is forgotten, and every place that it names is there.

`NAMES` was written from the documents of those systems. A row that is deleted, or added, has to be so here as well.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, UniqueConstraint
from test_house import ROOT, commands, development

from swarm_mcp import operations
from swarm_mcp.cli.importing import FORMATS
from swarm_mcp.config import Settings
from swarm_mcp.model import agent, lifecycle, memory, message, task
from swarm_mcp.repository.tables import metadata
from swarm_mcp.server.resources import Resources, document
from swarm_mcp.server.toolbox import every_tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from board import Board

KINDS = {"entity", "field", "value", "rule", "command"}
ENUMS = {
    each.__name__: each
    for each in (
        agent.AgentRole, agent.Lifecycle, lifecycle.TaskStatus, lifecycle.Priority, memory.ContextKind,
        message.MessageType, message.InboxState, task.Complexity, task.CompletionChecks, task.CriterionOutcome,
        task.DelegationState, task.EdgeType, task.ExecutionStatus,
    )
}  # fmt: skip
WORDS = ("not here: ", "later: ")
"""What a place may begin with that names none."""

NAMES = {
    "Task Orchestrator: tasks": """
        tasks; id; title; description; status; priority; assignee; created_at; updated_at; completed_at;
        success_criteria; feedback_quality; feedback_timeliness; feedback_notes; completion_summary; deadline;
        estimated_hours; actual_hours; idx_tasks_status; idx_tasks_assignee; idx_tasks_priority; idx_tasks_deadline
    """,
    "Task Orchestrator: success criterion": """
        criterion; measurable; valid JSON array; measurable "true"
    """,
    "Task Orchestrator: dependencies": """
        dependencies; id; task_id; depends_on; created_at; foreign keys; unique pair; idx_dependencies_task;
        idx_dependencies_depends; automatic unblocking
    """,
    "Task Orchestrator: notifications": """
        notifications; id; task_id; event_type; message; created_at; read; created; started; completed; blocked;
        unblocked; foreign key; idx_notifications_unread; watch system
    """,
    "Task Orchestrator: participants": """
        participants; id; task_id; agent_id; role; joined_at; foreign key; once per task; idx_participants_task;
        idx_participants_agent
    """,
    "Task Orchestrator: files": """
        ~/.task-orchestrator; tasks.db; contexts/{task_id}.yaml; contexts/{task_id}_progress.jsonl;
        notes/{task_id}_{agent_id}.md; archives/task_{task_id}_{timestamp}.tar.gz; names of files
    """,
    "Task Orchestrator: shared context": """
        task_id; updated_at; updated_by; context; requirements; decisions; decision; rationale; made_by; date;
        artifacts; type; path; created_by; free keys; its YAML
    """,
    "Task Orchestrator: progress updates": """
        timestamp; agent; progress; message; append-only
    """,
    "Task Orchestrator: private notes": """
        task in the heading; agent in the heading; updated in the heading; free Markdown; only for its agent
    """,
    "Task Orchestrator: statuses, priorities, ratings": """
        pending; in_progress; completed; blocked; default status pending; low; medium; high; critical; default
        priority medium; 1 very poor; 2 poor; 3 acceptable; 4 good; 5 excellent; ratings 1 to 5
    """,
    "Task Orchestrator: calls": """
        add(title, success_criteria, deadline, estimated_hours); complete(task_id, summary, actual_hours);
        feedback(task_id, quality, timeliness, notes); join(task_id, agent_id, role); share(task_id, key, value);
        note(task_id, agent_id, text); progress(task_id, percent, message)
    """,
    "Task Orchestrator: migration 2.2 to 2.3": """
        eight columns; table of participants; everything new is optional; collaboration is opt-in; missing files are
        no error
    """,
    "Task Orchestrator: performance": """
        keys are indexed; context in files; append-only progress; archive of what is completed
    """,
    "Task Orchestrator: validation": """
        task ids of 8 characters; times in ISO 8601; known priorities; known statuses; ratings 1 to 5; criteria as an
        array
    """,
    "SwarmDirector: base model": """
        id; created_at; updated_at; save; delete; to_dict; indexed id and created_at
    """,
    "SwarmDirector: Agent": """
        Agent; name; description; agent_type; status; parent; capabilities; config; autogen_config; system_message;
        tasks_completed; success_rate; average_response_time; supervisor; coordinator; worker; specialist; active;
        idle; busy; error; offline
    """,
    "SwarmDirector: Task": """
        Task; title; description; type; user_id; status; priority; assigned agent; parent; estimated_duration;
        actual_duration; deadline; input_data; output_data; error_details; progress; last_activity; complexity 1 to
        10; quality 0 to 1; queue time; processing time; retry_count; email; communication; analysis; review;
        research; development; other; pending; assigned; in_progress; completed; failed; cancelled
    """,
    "SwarmDirector: Conversation": """
        Conversation; title; type; status; initiator; session id; active; completed; paused; error
    """,
    "SwarmDirector: Message": """
        Message; content; type; sender; conversation; metadata; tokens; response time
    """,
    "SwarmDirector: director": """
        DirectorAgent; BaseAgent; routing to a department; communications; analysis; automation; coordination;
        keywords; no department fits; log_agent_action; AgentLog; Draft
    """,
    "SwarmDirector: database commands": """
        init; seed; reset; status; validate; get_database_info; migrations from the start; db init; db migrate;
        initial migration; db upgrade; db current; db history; db downgrade; backup; restore; health checks;
        integrity; referential integrity; statistics; schema.sql; documentation of all structures; sample data;
        database files in folders of their own; rollback after an error; flask shell
    """,
    "SwarmDirector: HTTP": """
        GET /; GET /health; health status; health database; health timestamp; health error; 500 when unhealthy; GET
        /health/detailed; detailed status; detailed timestamp; detailed version; detailed checks; checks.database;
        checks.disk_space.free_gb; checks.disk_space.used_percent; checks.memory.available_gb;
        checks.memory.used_percent; GET /api/status; api_version; api status; endpoints; POST /api/tasks; 404 page;
        500 page; X-Content-Type-Options; X-Frame-Options; X-XSS-Protection; Strict-Transport-Security; templates and
        static files; CRUD pages
    """,
    "SwarmDirector: settings": """
        .env; DATABASE_URL; SQLALCHEMY_DATABASE_URI; SQLALCHEMY_TRACK_MODIFICATIONS; SQLALCHEMY_ENGINE_OPTIONS;
        pool_pre_ping; pool_recycle; pool_size; max_overflow; echo; SECRET_KEY; FLASK_APP; FLASK_ENV; FLASK_DEBUG;
        DEBUG; TESTING; LOG_LEVEL; LOG_FILE; MAX_CONTENT_LENGTH; SEND_FILE_MAX_AGE_DEFAULT; SESSION_COOKIE_SECURE;
        SESSION_COOKIE_HTTPONLY; SESSION_COOKIE_SAMESITE; POSTS_PER_PAGE; LANGUAGES; MAIL_SERVER; MAIL_PORT;
        MAIL_USE_TLS; MAIL_USERNAME; MAIL_PASSWORD; MAIL_SUPPRESS_SEND; MAIL_DEFAULT_SENDER; OPENAI_API_KEY;
        ANTHROPIC_API_KEY; COMPONENT_SETTING_1; COMPONENT_SETTING_2; Config; DevelopmentConfig; TestingConfig;
        ProductionConfig; default; several profiles
    """,
    "SwarmDirector: logging": """
        log file; rotation; format; level INFO; message at startup
    """,
    "SwarmDirector: starting": """
        python app.py; flask run --host --port; python run.py; gunicorn; setup_development.py;
        verify_reorganization.py; update_task_contexts_for_reorganization.py; pytest with coverage; application
        factory
    """,
    "SwarmDirector: quality": """
        Python 3.8 or newer; starts in under 5 seconds; under 100 MB; answers in under 1 second; coverage above 80
        percent; no debug output to callers; style is checked; full-text search (left out there); mail agent
    """,
    "SwarmDirector: tickets": """
        task_id; subtask_id; title; status; priority; parent_task; dependencies; created; updated; completion date;
        number of subtasks; checklists; sections of text; risks; text decoded with the wrong code page
    """,
    "OmoiOS supervisors: Supervisor": """
        Supervisor; id; name; description; status; config; parent_id; hierarchy_level; policy_version_id; created_at;
        updated_at; last_heartbeat; health_metrics; parent; children; teams; teams go with their supervisor; name up
        to 255 characters
    """,
    "OmoiOS supervisors: SupervisorStatus": """
        SPAWNING; ACTIVE; PAUSED; FAILED; TERMINATED; default SPAWNING
    """,
    "OmoiOS supervisors: SupervisorTeam": """
        SupervisorTeam; id; supervisor_id; name; description; objective; config; created_at; updated_at; supervisor;
        members; members go with their team
    """,
    "OmoiOS supervisors: SupervisorTeamMember": """
        SupervisorTeamMember; id; team_id; agent_id; role; default MEMBER; joined_at; left_at; metadata; team; leaving
        and rejoining
    """,
    "OmoiOS supervisors: acceptance": """
        three models; proper indexes; applies to a fresh database; rolls back without errors; UUID; JSONB; DateTime;
        relationships
    """,
    "OmoiOS supervisors: tickets": """
        id; title; status; parent_ticket; estimate; type; dependencies.depends_on; dependencies.blocks; estimate S;
        estimate M; estimate L; objective and context; deliverables; acceptance criteria
    """,
    "Orchestration blueprint: TaskStatus": """
        not_started; in_progress; completed; blocked; failed; requires_assistance; partial
    """,
    "Orchestration blueprint: TaskPriority": """
        low; medium; high; critical
    """,
    "Orchestration blueprint: TaskComplexity": """
        low; medium; high; very_high
    """,
    "Orchestration blueprint: ComponentArea": """
        environment; dependencies; configuration; architecture; database; services; ui; testing; documentation;
        security; task (a default that does not exist)
    """,
    "Orchestration blueprint: AgentType": """
        research; coding; testing; documentation
    """,
    "Orchestration blueprint: configuration of models": """
        strict; extra forbidden; validate_assignment; use_enum_values; serialize_by_alias; frozen; from_attributes;
        BaseBusinessModel; BaseEntityModel; created_at; updated_at; ensure_updated_at; BaseLLMResponseModel;
        extract_json_from_text
    """,
    "Orchestration blueprint: TaskCore": """
        TaskCore; id; uuid; title; title of 1 to 200 characters; description; description up to 2000 characters;
        component_area; phase; phase 1 to 10; default phase 1; priority; complexity; default complexity medium;
        status; source_document; source_document up to 500 characters; success_criteria; success_criteria up to 1000
        characters; time_estimate_hours; time_estimate_hours 0.1 to 100; default time_estimate_hours 1;
        parent_task_id; validate_title (strips); validate_title (title-cases); is_actionable; progress_percentage;
        not_started is 0; in_progress is 50; completed is 100; blocked is 25; failed is 0; requires_assistance is 25;
        partial is 75; critical and very high needs criteria; completed needs criteria
    """,
    "Orchestration blueprint: TaskDelegation": """
        TaskDelegation; assigned_agent; reasoning; reasoning of 10 to 1000 characters; priority;
        estimated_duration_minutes; minutes 1 to 480; required_resources; required_resources up to 20;
        success_criteria; success_criteria up to 10; risk_factors; risk_factors up to 10; dependencies; dependencies
        up to 50; context_requirements; context_requirements up to 20; expected_deliverables; expected_deliverables up
        to 15
    """,
    "Orchestration blueprint: AgentReport": """
        AgentReport; agent_name; agent_name up to 50 characters; agent_type; task_id; execution_id; status;
        start_time; end_time; success; confidence_score; confidence_score 0 to 1; default confidence_score 0.8;
        outputs; artifacts_created; artifacts_created up to 50; next_actions; next_actions up to 20; issues_found;
        issues_found up to 20; blocking_issues; blocking_issues up to 10; error_details; error_details up to 2000
        characters; duration_seconds; is_successful; TaskExecutionResult (named, not defined)
    """,
    "Orchestration blueprint: tasks (table)": """
        id; uuid; fields of TaskCore; ix_tasks_component_area; ix_tasks_phase; ix_tasks_status; ix_tasks_priority;
        ck_positive_time; ck_valid_phase; dependencies; dependents; progress_records; execution_logs; subtasks;
        parent_task; to_core_model; from_core_model
    """,
    "Orchestration blueprint: TaskDependency": """
        TaskDependency; id; task_id; depends_on_task_id; dependency_type; created_at; updated_at; blocks; enables;
        enhances; ix_task_dependencies_task_id; ix_task_dependencies_depends_on; uq_task_dependency;
        ck_no_self_dependency; task; depends_on_task
    """,
    "Orchestration blueprint: TaskProgress": """
        TaskProgress; id; task_id; progress_percentage; notes; notes up to 1000 characters; updated_by; default
        updated_by system; created_at; updated_at; ix_task_progress_task_id; ix_task_progress_created_at;
        ck_valid_progress; task
    """,
    "Orchestration blueprint: TaskExecutionLog": """
        TaskExecutionLog; id; task_id; execution_id; agent_type; status; start_time; end_time; outputs; error_details;
        created_at; updated_at; ix_task_execution_logs_task_id; ix_task_execution_logs_agent_type;
        ix_task_execution_logs_status; task; to_agent_report
    """,
    "Orchestration blueprint: repositories": """
        BaseRepository; get_entity_class; get_business_class; create; get_by_id; update; delete; list_all;
        get_by_status; include_relations; get_by_component_area; get_actionable_tasks; get_critical_path_tasks;
        update_status_with_progress; create_task_with_dependencies; get_task_statistics; log_execution_start;
        log_execution_complete; get_execution_history
    """,
    "Orchestration blueprint: statistics": """
        total_tasks; status_breakdown; completion_percentage; phase_breakdown; phase; phase count;
        component_breakdown; area; area count; total_estimated_hours; completed_hours; progress_percentage
    """,
    "Orchestration blueprint: TaskService": """
        TaskService; create_task_from_delegation(delegation, title, description); criteria joined by semicolons;
        minutes divided by sixty; execute_task_with_agent(task_id, agent_type, agent_function); started is 10 percent;
        a failure is recorded and raised; a report as a dictionary or a model; failed work at 75 percent;
        get_next_actionable_tasks(limit); get_task_dashboard_data; analyze_critical_path
    """,
    "Orchestration blueprint: database and migration": """
        create_db_and_tables; get_sync_session; migrate_existing_data; migrate_tasks_to_unified_schema;
        migrate_dependencies_to_unified_schema; validate_unified_schema_migration; LegacyCompatibilityLayer;
        transformations of models; one transaction; demonstration_flow; parallel systems while moving; feature flags;
        real-time updates; GraphQL; generated HTTP interface; prediction from execution logs
    """,
}


@cache
def rows() -> dict[str, list[tuple[str, str, str]]]:
    """The tables of the document by system and entity: theirs, kind, here."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    system = entity = ""
    for line in (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            system = line[3:]
        elif line.startswith("### "):
            entity = f"{system}: {line[4:]}"
            found[entity] = []
        elif entity and line.startswith("| ") and not line.startswith("| theirs "):
            theirs, kind, here = (part.strip() for part in line.strip("| ").split(" | "))
            found[entity].append((theirs, kind, here))
    return found


# --- where things are -------------------------------------------------------------------------------------------------


def column(place: str) -> bool:
    table, _, name = place.partition(".")
    return table in metadata.tables and name in {each.name for each in metadata.tables[table].columns}


def foreign(place: str) -> bool:
    table, _, name = place.partition(".")
    return column(place) and bool(metadata.tables[table].c[name].foreign_keys)


def index(place: str) -> bool:
    return any(place == each.name for table in metadata.tables.values() for each in table.indexes)


def check(place: str) -> bool:
    constraints = [(table.name, each) for table in metadata.tables.values() for each in table.constraints]
    names = [(table, str(each.name)) for table, each in constraints if isinstance(each, CheckConstraint)]
    return any(place in {name, f"ck_{table}_{name}"} for table, name in names)


def unique(place: str) -> bool:
    table, _, name = place.partition(".")
    found = metadata.tables[table].constraints
    constraints = [each for each in found if isinstance(each, UniqueConstraint | PrimaryKeyConstraint)]
    return any(next(iter(each.columns)).name == name for each in constraints)


def enum(place: str) -> bool:
    name, _, member = place.partition(".")
    return member in [each.value for each in ENUMS[name]]


def progress(place: str) -> bool:
    status, _, percent = place.partition("=")
    return lifecycle.NATURAL_PROGRESS[lifecycle.TaskStatus(status)] == int(percent)


def tool(place: str) -> bool:
    name, said = re.fullmatch(r"(\w+)\(([\w, ]*)\)", place).groups()  # type: ignore[union-attr]
    takes = [each["inputSchema"]["properties"] for each in every_tool() if each["name"] == name]
    return bool(takes) and set(said.split(", ")) <= takes[0].keys()


def resource(place: str) -> bool:
    if "{" not in place:
        return place.startswith("swarm://")  # and can be read, see below
    templates = [each["uriTemplate"] for each in Resources(None).templates()]  # type: ignore[arg-type] - asks no board
    return shape(place) in map(shape, templates)


def shape(template: str) -> str:
    """A template whatever its variables are called, without those of its query."""
    return re.sub(r"{\w+}", "{}", template.partition("{?")[0])


def command(place: str) -> bool:
    words = tuple(place.split())
    return words[0] == "swarm-mcp" and words[1:] in dict(commands())


def script(place: str) -> bool:
    if place.startswith("dev.py "):
        return place.removeprefix("dev.py ") in development().COMMANDS
    return place.startswith("operations.") and hasattr(operations, place.removeprefix("operations."))


def rule(place: str) -> bool:
    path, _, name = place.partition("::")
    return (ROOT / path).exists() and name in defined_in(path)


@cache
def defined_in(path: str) -> set[str]:
    """The tests that stand in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


FINDERS: dict[str, Callable[[str], bool]] = {
    "": column,
    "foreign": foreign,
    "index": index,
    "check": check,
    "unique": unique,
    "enum": enum,
    "alias": lambda place: place in lifecycle.STATUS_ALIASES,
    "progress": progress,
    "summary": lambda place: re.fullmatch(r"\w+", place) is not None,
    "view": lambda place: re.fullmatch(r"\w+", place) is not None,
    "tool": tool,
    "resource": resource,
    "command": command,
    "setting": lambda place: place.removeprefix("SWARM_").lower() in Settings.model_fields,
    "script": script,
    "rule": rule,
}


def exists(place: str) -> bool:
    """Whether what a place names is there."""
    form, colon, name = place.partition(":")
    return FINDERS[form](name) if colon else FINDERS[""](place)


# --- the tests --------------------------------------------------------------------------------------------------------


def test_the_tables_name_everything_that_the_older_systems_had() -> None:
    listed = {entity: [theirs for theirs, _, _ in table] for entity, table in rows().items()}
    wanted = {entity: [name.strip() for name in " ".join(names.split()).split("; ")] for entity, names in NAMES.items()}
    assert listed.keys() == wanted.keys()
    for entity, names in wanted.items():
        assert listed[entity] == names, entity
        assert len(set(names)) == len(names), entity


def test_every_row_has_a_kind_and_a_place() -> None:
    for entity, table in rows().items():
        for theirs, kind, here in table:
            assert kind in KINDS, (entity, theirs)
            assert "`" in here or here.startswith(WORDS), (entity, theirs)
            assert not re.search(r"(not here|later|derived):(?! \S)", here), (entity, theirs)


@pytest.mark.parametrize("entity", NAMES)
def test_every_place_is_there(entity: str) -> None:
    places = {place for _, _, here in rows()[entity] for place in re.findall(r"`([^`]+)`", here)}
    assert sorted(place for place in places if not exists(place)) == []


def test_every_key_of_the_statistics_is_in_the_summary(board: Board) -> None:
    board.create(area="database", phase=2, estimated_hours=3)
    found = board.swarm.read(operations.get_overview).model_dump()
    keys = {key for table in rows().values() for _, _, here in table for key in re.findall(r"`summary:(\w+)`", here)}
    assert len(keys) == 8
    assert keys <= found.keys()


def test_every_view_of_the_overview_is_one(board: Board) -> None:
    views = {view for table in rows().values() for _, _, here in table for view in re.findall(r"`view:(\w+)`", here)}
    assert views == {"summary", "stuck", "tree", "critical_path", "workload", "timeline"}
    for view in sorted(views):
        board.swarm.read(lambda db, view=view: operations.get_overview(db, view=view))


def test_every_resource_without_a_variable_can_be_read(board: Board) -> None:
    every = {
        uri for table in rows().values() for _, _, here in table for uri in re.findall(r"`resource:([^{`]+)`", here)
    }
    assert "swarm://overview" in every
    for uri in sorted(every):
        assert board.swarm.read(lambda db, uri=uri: document(db, uri), agent="ada")[1]


def test_a_place_that_is_not_there_is_noticed() -> None:
    wrong = [
        "task.colour", "nothing.title", "index:ix_task_colour", "foreign:task.title", "check:ck_task_colour",
        "unique:task.title", "enum:TaskStatus.lost", "alias:lost", "progress:pending=1", "tool:claim_task(colour)",
        "tool:paint(task)", "resource:swarm://colours/{id}", "command:swarm-mcp paint", "setting:SWARM_COLOUR",
        "script:operations.paint", "script:dev.py paint", "rule:tests/test_house.py::test_colours",
        "rule:tests/test_colours.py::test_red",
    ]  # fmt: skip
    assert [place for place in wrong if exists(place)] == []


def test_the_document_says_what_is_not_there_yet() -> None:
    """What has come since must not be called coming: whoever adds it mends the row."""
    text = (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8")
    assert ("later: an importer that reads" in text) == ("task-orchestrator" not in FORMATS)
    known = {" ".join(path) for path, _ in commands()}
    late = ("board",)
    assert [name for name in late if any(path.split()[0] == name for path in known)] == [], "mend docs/lineage.md"
