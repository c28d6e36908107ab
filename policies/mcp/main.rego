# METADATA
# title: The combiner
# description: |
#   deny and limit before require_approval before allow; where nothing allows, deny. It reads rules
#   through `data.mcp.router` alone.
package mcp.main

import data.mcp.grants
import data.mcp.request
import data.mcp.router

# METADATA
# description: The answer of the library, in the shape of the policy result schema.
decision := {
	"decision": outcome,
	"visible": visible,
	"reason_code": reason_code,
	"safe_message": safe_message,
	"constraints": object.union(_actor_constraint, _approval_constraint),
	"obligations": _obligations,
	"rules": _decisive,
}

# METADATA
# description: allow, deny or require_approval; a discovery asks only whether the item is visible.
default outcome := "deny"

outcome := _call_outcome if request.phase == "call"

outcome := "allow" if {
	request.phase == "discovery"
	visible
}

# METADATA
# description: |
#   True when some arguments could be allowed. Every condition here is also one of the call, so
#   what can be called is always listed.
default visible := false

visible if {
	count(_denied) == 0
	count(_listed) > 0
	_actor_possible
}

_call_outcome := "deny" if count(_refusing) > 0

else := "deny" if count(_allowed) == 0

else := "deny" if not _actor_possible

else := "require_approval" if count(_asked) > 0

else := "allow"

_denied contains id if {
	some pattern in request.patterns
	some id in router.denied[pattern]
}

_refusing contains id if some id in _denied

_refusing contains id if {
	some pattern in request.patterns
	some id in router.limited[pattern]
}

_refusing contains id if {
	some pattern in request.patterns
	some id in router.unobliged[pattern]
}

_listed contains id if {
	some pattern in request.patterns
	some id in router.listed[pattern]
}

_listed contains id if some id in grants.listed

_allowed contains id if {
	some pattern in request.patterns
	some id in router.allowed[pattern]
}

_allowed contains id if some id in grants.allowed

_askable contains id if {
	some pattern in request.patterns
	some id in router.askable[pattern]
}

_askable contains id if some id in grants.askable

_asked contains id if {
	some pattern in request.patterns
	some id in router.asked[pattern]
	not _granted(id)
}

_asked contains id if {
	some id in grants.asked
	not _granted(id)
}

# The reference stands in a helper: under `not` an absent approval would make the line undefined.
_granted(id) if id in request.approval.granted_rules

_obligations contains obligation if {
	some pattern in request.patterns
	some obligation in router.obliged[pattern]
}

# A human's approval of this very call can stand for a human actor (R12), so where somebody may
# approve, the demand does not refuse yet; the decision core refuses what is still unproved.
_actor_possible if not request.capability.actor_required

_actor_possible if request.actor_type in _satisfying[request.capability.actor_required]

_actor_possible if {
	request.capability.actor_required == "human"
	count(_askable) > 0
}

_satisfying := {
	"human": {"human"},
	"supervised_ai": {"supervised_ai", "human"},
	"automation": {"automation"},
	"service_account": {"service_account"},
}

default _actor_constraint := {}

_actor_constraint := {"actor_required": request.capability.actor_required}

default _approval_constraint := {}

_approval_constraint := {
	"approval_required": true,
	"require_approval_via": _channel,
} if {
	outcome == "require_approval"
}

_channel := first if first := _shared_channels[0]

else := "none"

_shared_channels := [channel |
	some channel in ["task", "elicitation", "none"]
	every id in _asked {
		_may_ask_via(id, channel)
	}
]

_may_ask_via(id, channel) if {
	some channels in _said(id, "channels")
	channel in channels
}

_may_ask_via(id, channel) if {
	count(_said(id, "channels")) == 0
	channel in ["task", "none"]
}

# METADATA
# description: |
#   What a list says of the item: whether it is shown, why, and by which rules. Of a refusal without
#   one, those that would show it otherwise.
listing := [visible, _listing_code, _listing_rules]

_listing_rules := _denied if count(_denied) > 0

else := _listed

_listing_code := "ALLOWED" if visible

else := "CAPABILITY_NOT_ALLOWED" if count(_listing_rules) == 0

else := "ACTOR_VALIDATION_FAILED" if count(_denied) == 0

else := code if code := _denied_codes[0]

else := "POLICY_DENIED"

_denied_codes := [code | some id in sort(_denied); some code in sort(_said(id, "reason_code"))]

# The rules that made the outcome; of a refusal without one, those that would allow otherwise.
_decisive := _refusing if count(_refusing) > 0

else := _asked if outcome == "require_approval"

else := _allowed if outcome == "allow"

else := _listed

# METADATA
# description: |
#   Why it is not allowed: the code of the first decisive rule, by name, that declares one.
reason_code := "ALLOWED" if outcome == "allow"

else := "ACTOR_VALIDATION_FAILED" if _actor_refuses

else := code if code := _codes[0]

else := _default_reasons[outcome] if count(_decisive) > 0

else := "CAPABILITY_NOT_ALLOWED"

_actor_refuses if {
	count(_refusing) == 0
	count(_allowed) > 0
	not _actor_possible
}

_default_reasons := {
	"deny": "POLICY_DENIED",
	"require_approval": "APPROVAL_REQUIRED",
}

# METADATA
# description: The sentence of the first decisive rule that declares one, else null.
default safe_message := null

safe_message := _messages[0] if outcome != "allow"

_codes := [code | some id in sort(_decisive); some code in sort(_said(id, "reason_code"))]

_messages := [message | some id in sort(_decisive); some message in sort(_said(id, "safe_message"))]

# What a rule's METADATA says (`data.portcullis.rules`, written by the build) and what a grant says.
_said(id, what) := {value | value := data.portcullis.rules[id][what]} | {value |
	some entry in grants.said
	[id, what] == [entry[0], entry[1]]
	value := entry[2]
}
