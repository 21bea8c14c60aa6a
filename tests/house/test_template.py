"""template.yaml says what the code needs, and nothing that silently does not stream."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from orrery.core.responses import KEPT_S
from orrery.edge.credentials import context_of
from orrery.edge.families import ELSEWHERE, MOUNTS, OLDER, READERS, ROOTS
from orrery.edge.settings import from_environment
from orrery.stores import definition
from orrery.stores.credential_rows import PARTITION as OWN
from orrery.stores.definition import DEFINITION, PROMPTS, TIME_TO_LIVE, TRACKED
from orrery.stores.model_rows import PARTITION
from orrery.wire.option_shapes import MOST_CACHED_S

ROOT = Path(__file__).parents[2]


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref X` becomes {"Ref": "X"}."""


def _tag(loader, suffix, node):
    build = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda n: loader.construct_sequence(n, deep=True),
        yaml.MappingNode: lambda n: loader.construct_mapping(n, deep=True),
    }[type(node)]
    return {suffix: build(node)}


Loader.add_multi_constructor("!", _tag)
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)
RESOURCES = TEMPLATE["Resources"]
FUNCTIONS = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"}
EVENTS = [(name, e["Properties"]) for name, f in FUNCTIONS.items() for e in f["Events"].values() if e["Type"] == "Api"]
SERVING = [name.capitalize() for name in READERS]
CALLING = [*SERVING, "Background"]
BEHIND = ("/responses", "/conversations")
"""What stands behind these is one route for all methods."""
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
CONTEXT = context_of("o", "p", "v")


MANAGED = ("AGENT", "TOOL", "MEMORYSTORE", "MEMORY")
"""What agents are made of: kept by one function, used by those that respond."""


def behind(path):
    return path.startswith(tuple(f"{path}/" for path in BEHIND))


def variables(name):
    own = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    return TEMPLATE["Globals"]["Function"]["Environment"]["Variables"] | own


def actions(name):
    statements = [s for policy in FUNCTIONS[name]["Policies"] for s in policy["Statement"]]
    listed = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
    return {action for some in listed for action in some}


def test_the_table_is_the_one_that_the_stores_define():
    table = RESOURCES["Table"]["Properties"]
    assert {name: table[name] for name in DEFINITION} == DEFINITION
    assert table["TimeToLiveSpecification"] == TIME_TO_LIVE


@pytest.mark.parametrize("name", ["Table", "Key", "CredentialKey", "PepperSecret", "ProviderSecret"])
def test_what_cannot_be_made_again_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_table_can_be_restored_to_any_second_and_is_encrypted_with_a_key_that_rotates():
    table = RESOURCES["Table"]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["KMSMasterKeyId"] == {"GetAtt": "Key.Arn"}
    assert RESOURCES["Key"]["Properties"]["EnableKeyRotation"] is True


@pytest.mark.parametrize("mount", MOUNTS)
def test_every_mount_has_every_route(mount):
    routes = {(event["Method"], event["Path"]) for _, event in EVENTS}
    posted = {("POST", f"{mount}{path}") for readers in READERS.values() for path in readers if not behind(path)}
    kept = {("ANY", f"{mount}{path}/{{rest+}}") for path in BEHIND}
    assert posted | kept | {("POST", f"{mount}/uploads/presign"), ("GET", f"{mount}/models")} <= routes
    assert {("GET", mount + "/models/{model+}"), ("ANY", mount + "/{rest+}")} <= routes


def _routes(place):
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def test_every_route_is_under_a_mount():
    others = {event["Path"] for _, event in EVENTS if not event["Path"].startswith(MOUNTS)}
    agents = {f"{ELSEWHERE}/agents", f"{ELSEWHERE}/agents/{{key}}", f"{ELSEWHERE}/agents/{{key}}/{{rest+}}"}
    older = {path for places in OLDER.values() for _, path, _ in _routes(places)}
    assert others == {*ROOTS.values(), ELSEWHERE + "/{rest+}", *agents, *older}


def test_a_function_streams_exactly_if_all_its_routes_do():
    for name, event in EVENTS:
        streams = WRAPPER in variables(name)
        assert event.get("ResponseTransferMode") == ("RESPONSE_STREAM" if streams else None), event["Path"]
        if streams:
            assert event["TimeoutInMillis"] == FUNCTIONS[name]["Timeout"] * 1000


def test_a_function_has_the_door_that_its_template_gives_it():
    for name, function in FUNCTIONS.items():
        code = (ROOT / function["CodeUri"] / "app.py").read_text()
        assert ("orrery.edge.streaming" in code) == (WRAPPER in variables(name)), name


def test_the_exec_wrapper_is_in_the_layer_and_can_be_executed():
    wrapper = ROOT / "layers" / "orrery" / Path(variables("Chat")[WRAPPER]).name
    assert wrapper.stat().st_mode & 0o111 == 0o111
    assert variables("Chat")[WRAPPER] == f"/opt/{wrapper.name}"


def test_no_function_is_pinned_to_a_published_version():
    """SAM publishes a version when the function's own code changes; a new layer would deploy, and never be used."""
    assert not [name for name, function in FUNCTIONS.items() if "AutoPublishAlias" in function]


def test_every_function_folder_is_deployed():
    apart = RESOURCES["Interpreter"]["Properties"]["Code"]
    assert {apart} | {f["CodeUri"] for f in FUNCTIONS.values()} == {
        f"functions/{p.parent.name}" for p in ROOT.glob("functions/*/app.py")
    }


def test_no_function_may_do_more_than_it_does():
    write = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    read_secrets = {"secretsmanager:GetSecretValue", "kms:Decrypt"}
    for name in CALLING:
        stored = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
        assert actions(name) == write | {"dynamodb:Query"} | stored | read_secrets
        for statement in (s for policy in FUNCTIONS[name]["Policies"] for s in policy["Statement"]):
            if "s3:PutObject" in statement["Action"]:
                assert statement["Resource"] == {"Sub": "${Uploads.Arn}/answers/*"}
    assert actions("Models") == {"dynamodb:GetItem", "dynamodb:Query"} | read_secrets
    assert actions("Sweep") == write | {"dynamodb:Query", "kms:Decrypt"}


def allowed(name, action):
    """The statements by which a function may do this with organizations' own provider keys."""
    statements = [s for policy in FUNCTIONS[name]["Policies"] for s in policy["Statement"]]
    return [s for s in statements if s["Action"] == action and s["Resource"] == {"GetAtt": "CredentialKey.Arn"}]


def test_who_calls_providers_opens_provider_keys_and_who_keeps_them_cannot():
    may = {action: {name for name in FUNCTIONS if allowed(name, action)} for action in ("kms:Decrypt", "kms:Encrypt")}
    assert may == {"kms:Decrypt": set(CALLING), "kms:Encrypt": {"Manage"}}


def test_a_provider_key_opens_only_under_its_owners_name():
    for statement in (*allowed("Chat", "kms:Decrypt"), *allowed("Manage", "kms:Encrypt")):
        keys = statement["Condition"]["ForAllValues:StringEquals"]["kms:EncryptionContextKeys"]
        named = {f"kms:EncryptionContext:{key}": "false" for key in CONTEXT}
        assert (sorted(keys), statement["Condition"]["Null"]) == (sorted(CONTEXT), named)


def test_who_keeps_provider_keys_writes_nothing_else():
    statements = [s for policy in FUNCTIONS["Manage"]["Policies"] for s in policy["Statement"]]
    (update,) = [s for s in statements if s["Action"] == "dynamodb:UpdateItem"]
    assert update["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{OWN}*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_who_looks_after_accounts_reads_and_writes_only_what_is_theirs():
    statements = [s for policy in FUNCTIONS["Manage"]["Policies"] for s in policy["Statement"]]
    keys = {str(s["Action"]): s.get("Condition", {}).get("ForAllValues:StringLike") for s in statements}
    assert keys["['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem']"] == {
        "dynamodb:LeadingKeys": [f"{kind}#*" for kind in ("PROMPT", *MANAGED, "IDEM")]
    }
    (queried,) = [s for s in statements if s["Action"] == "dynamodb:Query" and "index" in str(s["Resource"])]
    partitions = [*(f"{kind.upper()}#" for kind in TRACKED), *TRACKED.values(), "PROMPT#", PROMPTS]
    partitions += ["AGENT#", "MEMORY#", definition.AGENTS, definition.TOOLS, definition.MEMORY_STORES]
    assert sorted(queried["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]) == sorted(
        f"{partition}*" for partition in partitions
    )


def test_a_function_answers_the_calls_that_it_reads():
    for name, readers in READERS.items():
        paths = {event["Path"] for function, event in EVENTS if function == name.capitalize()}
        assert {f"{mount}{path}" for mount in MOUNTS for path in readers if not behind(path)} <= paths


def test_what_is_uploaded_is_private_and_gone_after_a_day():
    bucket = RESOURCES["Uploads"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert ({rule["Status"] for rule in rules}, days) == ({"Enabled"}, {"uploads/": 1, "answers/": 4, "responses/": 31})
    assert MOST_CACHED_S < 4 * 86_400 and KEPT_S < 31 * 86_400


def test_no_policy_has_a_star_for_a_resource():
    for function in FUNCTIONS.values():
        for statement in (s for policy in function["Policies"] for s in policy["Statement"]):
            ours = re.sub(r"\{'Sub': '\$\{Uploads.Arn\}/(uploads|answers)/\*'\}", "", str(statement["Resource"]))
            assert ours.count("*") == 0
            assert "*" not in str(statement["Action"])


def test_the_settings_read_every_variable_of_ours():
    read = set(re.findall(r'"(ORRERY_\w+)"', (ROOT / "layers/orrery/orrery/edge/settings.py").read_text()))
    given = {name for function in FUNCTIONS for name in variables(function) if name.startswith("ORRERY_")}
    assert given - read == set()


def test_the_variables_make_settings():
    environment = {name: value if isinstance(value, str) else "given" for name, value in variables("Chat").items()}
    environment |= {"ORRERY_ALLOW_UNPRICED_MODELS": "false", "ORRERY_EDGE_KEYS": "a" * 16 + "," + "b" * 16}
    settings = from_environment(environment | {"AWS_LAMBDA_FUNCTION_NAME": "chat"})
    assert (settings.mode, settings.table, settings.provider_secret) == ("lambda", "given", "given")
    assert (settings.pepper, settings.dynamodb_endpoint, settings.sam_local) == (None, None, False)


def test_the_api_is_regional_throttled_and_logs_no_header_and_no_body():
    api = RESOURCES["Api"]["Properties"]
    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"}
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(api["MethodSettings"][0])
    assert api["MethodSettings"][0]["DataTraceEnabled"] is False
    logged = set(re.findall(r"\$context\.([\w.]+)", api["AccessLogSetting"]["Format"]))
    assert not {name for name in logged if "header" in name.lower() or "body" in name.lower() or "apiKey" in name}


def test_what_api_gateway_says_by_itself_is_in_openais_shape():
    for said in RESOURCES["Api"]["Properties"]["GatewayResponses"].values():
        body = said["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"text"')
        assert set(yaml.safe_load(body)["error"]) == {"message", "type", "param", "code"}


def test_every_function_has_a_log_group_with_an_end():
    for function in FUNCTIONS.values():
        group = RESOURCES[function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_alarm_is_heard_where_the_operator_listens():
    alarms = [r["Properties"] for r in RESOURCES.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) >= 5
    assert all(alarm["AlarmActions"]["If"][0] == "HasAlarmTopic" for alarm in alarms)


def test_a_stack_that_names_a_region_for_bedrock_may_call_it_and_no_other_may():
    policy = RESOURCES["CallsBedrock"]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert policy["Condition"] == "UsesBedrock" and policy["Properties"]["Roles"] == [
        {"Ref": f"{name}Role"} for name in CALLING
    ]
    assert statement["Action"] == ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    assert variables("Chat")["BEDROCK_REGION"] == {"Ref": "BedrockRegion"}
    assert not any(action.startswith("bedrock:") for name in FUNCTIONS for action in actions(name))


def test_queries_of_the_chat_are_for_models_alone():
    (query,) = [s for p in FUNCTIONS["Chat"]["Policies"] for s in p["Statement"] if s["Action"] == "dynamodb:Query"]
    assert query["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [PARTITION]}}


def test_work_is_never_given_out_again_while_it_may_still_run():
    queue, worker = RESOURCES["Queue"]["Properties"], FUNCTIONS["Background"]
    assert queue["VisibilityTimeout"] > worker["Timeout"] > int(variables("Background")["ORRERY_DEADLINE_S"])
    assert worker["Events"]["Work"]["Properties"]["BatchSize"] == 1


def test_responses_reach_their_own_rows_and_files_and_no_other():
    policy = RESOURCES["ServesResponses"]["Properties"]
    assert policy["Roles"] == [{"Ref": "ResponsesRole"}, {"Ref": "BackgroundRole"}]
    keyed, files, queue, code = policy["PolicyDocument"]["Statement"]
    assert code["If"][0] == "RunsCode" and code["If"][1]["Resource"] == {"GetAtt": "Interpreter.Arn"}
    prefixes = keyed["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    defined = {line.split("#")[0].strip("| ") for line in stores_table().splitlines() if line.startswith("| ")}
    assert keyed["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}
    kinds = [prefix.removesuffix("#*") for prefix in prefixes]
    assert kinds == ["RESP", "RESPEV", *MANAGED] and set(kinds) <= defined
    assert files["Resource"] == {"Sub": "${Uploads.Arn}/responses/*"} and queue["Action"] == "sqs:SendMessage"


def stores_table():
    return definition.__doc__ or ""


def test_where_callers_code_runs_there_is_nothing_of_ours_and_no_way_out():
    apart = RESOURCES["Interpreter"]
    assert apart["Type"] == "AWS::Lambda::Function" and "Environment" not in apart["Properties"]
    assert "Layers" not in apart["Properties"]
    routes = {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::VPCEndpoint"}
    assert not routes & {resource["Type"] for resource in RESOURCES.values()}
    (egress,) = RESOURCES["InterpreterTraffic"]["Properties"]["SecurityGroupEgress"]
    assert egress["CidrIp"] == "127.0.0.1/32"
    allowed_, denied = RESOURCES["InterpreterRolePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Action"]) == ("Deny", "*") and all("ec2:" in a for a in allowed_["Action"])
