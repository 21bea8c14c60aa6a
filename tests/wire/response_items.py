"""Items as clients send them and as responses have them, one of each kind and more."""

from typing import Any

type Item = dict[str, Any]

PICTURE = "data:image/png;base64,iVBORw0KGgo="

MESSAGES: dict[str, Item] = {
    "typeless": {"role": "user", "content": "hi"},
    "user_text": {"type": "message", "role": "user", "content": "hi"},
    "user_parts": {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "hi"},
            {"type": "input_image", "image_url": PICTURE, "detail": "low"},
            {"type": "input_image", "file_id": "file_1", "image_url": None, "detail": None},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
            {"type": "input_file", "file_url": "https://x.example/a.pdf"},
            {"type": "input_video", "video_url": "https://x.example/a.mp4"},
        ],
    },
    "system": {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "be kind"}]},
    "developer": {"role": "developer", "content": "be brief", "type": "message", "status": None},
    "assistant_text": {"role": "assistant", "content": "hello", "phase": "commentary"},
    "assistant_short": {"role": "assistant", "content": [{"type": "input_text", "text": "hello"}]},
    "assistant_parts": {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "phase": "final_answer",
        "content": [
            {
                "type": "output_text",
                "text": "hello",
                "annotations": [
                    {"type": "url_citation", "url": "https://x.example", "start_index": 0, "end_index": 5, "title": "x"}
                ],
                "logprobs": [],
            },
            {"type": "refusal", "refusal": "no"},
        ],
    },
}

CALL: Item = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT: Item = {"type": "function_call_output", "call_id": "call_1", "output": "1"}

OTHERS: dict[str, Item] = {
    "reasoning": {"type": "reasoning", "summary": []},
    "reasoning_whole": {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "so"}],
        "content": [{"type": "reasoning_text", "text": "hm"}],
        "encrypted_content": "sealed",
        "status": None,
    },
    "reasoning_of_sdks": {"type": "reasoning", "id": "rs_2", "summary": [], "content": None, "encrypted_content": None},
    "call": {**CALL, "id": "fc_1", "status": "completed"},
    "output": {**OUTPUT, "id": None, "status": None},
    "output_parts": {
        **OUTPUT,
        "output": [{"type": "input_text", "text": "1"}, {"type": "input_image", "image_url": PICTURE}],
    },
    "reference": {"type": "item_reference", "id": "msg_1"},
    "reference_typeless": {"id": "msg_1"},
    "reference_null": {"type": None, "id": "msg_1"},
    "compaction": {"type": "compaction", "encrypted_content": "sealed"},
    "custom_call": {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
    "custom_output": {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
    "web_search": {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    },
    "file_search": {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["q"], "results": None},
    "code": {
        "type": "code_interpreter_call",
        "id": "ci_1",
        "status": "completed",
        "container_id": "cntr_1",
        "code": "1",
        "outputs": None,
    },
    "image": {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AA=="},
    "mcp_list": {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": [], "error": None},
    "mcp_call": {
        "type": "mcp_call",
        "id": "mcp_1",
        "server_label": "s",
        "name": "f",
        "arguments": "{}",
        "output": "1",
        "error": None,
        "approval_request_id": None,
    },
    "approval_request": {
        "type": "mcp_approval_request",
        "id": "mcpr_1",
        "server_label": "s",
        "name": "f",
        "arguments": "{}",
    },
    "approval": {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True, "reason": None},
    "shell": {"type": "local_shell_call", "id": "sh_1", "call_id": "c", "action": {}, "status": "completed"},
    "patch": {"type": "apply_patch_call", "call_id": "c", "status": "completed", "operation": {}},
    "tool_search": {"type": "tool_search_call", "arguments": {}},
    "computer": {
        "type": "computer_call",
        "id": "cu_1",
        "call_id": "c",
        "status": "completed",
        "pending_safety_checks": [],
    },
    "ours": {
        "type": "orq:current_date",
        "id": "orq_1",
        "status": "completed",
        "call_id": "call_1",
        "name": "current_date",
        "arguments": "{}",
        "output": "now",
    },
    "theirs": {"type": "acme:telemetry", "id": "acme_1", "status": "completed", "data": {"deep": [1, None]}},
}

ITEMS: dict[str, Item] = {**MESSAGES, **OTHERS}
