package filesystem_test

import data.mcp.main

_request(phase, tool, groups, path) := {
	"action": {"name": "tools/call"},
	"subject": {"id": "user:alice@example.com", "properties": {"groups": groups}},
	"resource": {"type": "tool", "id": tool, "properties": {"server": "files"}},
	"context": {
		"profile": "mcp/1",
		"phase": phase,
		"environment": {"deployment": "local"},
		"arguments": {"path": path},
	},
}

_decision(tool, groups, path) := decision if {
	decision := main.decision with input as _request("call", tool, groups, path)
}

_listed(tool, groups) if {
	decision := main.decision with input as _request("discovery", tool, groups, "")
	decision.visible
}

_allowed(tool, groups, path) if _decision(tool, groups, path).decision == "allow"

test_everybody_reads_what_is_public if {
	_allowed("read_text_file", [], "/srv/shared/public/a.txt")
	_allowed("list_directory", [], "/srv/shared/public")
}

test_nobody_reads_what_is_not if {
	every path in ["/srv/shared/private/a.txt", "/srv/shared/public/../private/a.txt", "a.txt"] {
		decision := _decision("read_text_file", [], path)
		decision.decision == "deny"
		decision.visible
	}
}

test_only_editors_write_and_only_drafts if {
	_allowed("write_file", ["editors"], "/srv/shared/public/drafts/a.txt")
	not _allowed("write_file", ["editors"], "/srv/shared/public/a.txt")
	not _allowed("write_file", [], "/srv/shared/public/drafts/a.txt")
}

test_each_sees_what_it_may_use if {
	_listed("read_text_file", [])
	_listed("write_file", ["editors"])
	not _listed("write_file", [])
	not _listed("move_file", ["editors"])
}
