package mcp.router_test

import data.mcp.router

_rules := {
	"a": {
		"allow_plain": {"effect": "allow", "applies": true},
		"allow_inside": {"effect": "allow", "applies": true, "within": true},
		"allow_outside": {"effect": "allow", "applies": true, "within": false},
		"allow_odd": {"effect": "allow", "applies": true, "within": "yes"},
		"allow_idle": {"effect": "allow", "applies": false, "within": true},
		"allow_undefined": {"effect": "allow", "within": true},
		"deny_on": {"effect": "deny", "applies": true},
		"deny_off": {"effect": "deny", "applies": false},
		"limit_inside": {"effect": "limit", "applies": true, "within": true},
		"limit_outside": {"effect": "limit", "applies": true, "within": false},
		"limit_undefined": {"effect": "limit", "applies": true},
		"limit_off": {"effect": "limit", "applies": false, "within": false},
	},
	"b": {
		"ask_inside": {"effect": "require_approval", "applies": true, "within": true, "eligible": false},
		"ask_outside": {"effect": "require_approval", "applies": true, "within": false, "eligible": true},
		"ask_always": {"effect": "require_approval", "applies": true},
		"ask_off": {"effect": "require_approval", "applies": false, "eligible": true},
		"oblige_on": {"effect": "oblige", "applies": true, "obligations": {{"type": "log", "level": "info"}}},
		"oblige_none": {"effect": "oblige", "applies": true, "obligations": set()},
		"oblige_list": {"effect": "oblige", "applies": true, "obligations": ["x"]},
		"oblige_undefined": {"effect": "oblige", "applies": true},
		"oblige_off": {"effect": "oblige", "applies": false, "obligations": {{"type": "log", "level": "warn"}}},
		"typo": {"effect": "dney", "applies": true},
	},
}

test_denied if {
	found := router.denied with data.mcp.rules as _rules
	found == {"*": {"a/deny_on"}}
}

test_listed if {
	found := router.listed with data.mcp.rules as _rules
	found == {"*": {"a/allow_plain", "a/allow_inside", "a/allow_outside", "a/allow_odd"}}
}

test_allowed if {
	found := router.allowed with data.mcp.rules as _rules
	found == {"*": {"a/allow_plain", "a/allow_inside"}}
}

test_limited if {
	found := router.limited with data.mcp.rules as _rules
	found == {"*": {"a/limit_outside", "a/limit_undefined"}}
}

test_askable if {
	found := router.askable with data.mcp.rules as _rules
	found == {"*": {"b/ask_inside", "b/ask_outside", "b/ask_always"}}
}

test_asked if {
	found := router.asked with data.mcp.rules as _rules
	found == {"*": {"b/ask_outside", "b/ask_always"}}
}

test_eligible if {
	found := router.eligible with data.mcp.rules as _rules
	found == {"*": {"b/ask_outside", "b/ask_off"}}
}

test_obliged if {
	found := router.obliged with data.mcp.rules as _rules
	found == {"*": {{"type": "log", "level": "info"}, "x"}}
}

test_unobliged if {
	found := router.unobliged with data.mcp.rules as _rules
	found == {"*": {"b/oblige_none", "b/oblige_list", "b/oblige_undefined"}}
}
