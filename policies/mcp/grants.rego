# METADATA
# title: Data-first grants
# description: |
#   A grant without `require_approval` allows, where `within` holds if it is given. A grant with
#   `require_approval` allows nothing: it asks for an approval wherever `unless_within` does not hold.
package mcp.grants

import data.mcp.index
import data.mcp.region
import data.mcp.request

# METADATA
# description: Names of the grants that would allow the capability with some arguments.
listed contains _name(grant) if some grant in _allowing

# METADATA
# description: Names of the grants that allow this call.
allowed contains _name(grant) if {
	some grant in _allowing
	_within(grant)
}

# METADATA
# description: Names of the grants that may ask for an approval, whatever the arguments.
askable contains _name(grant) if some grant in _asking

# METADATA
# description: Names of the grants that ask for an approval of this call.
asked contains _name(grant) if {
	some grant in _asking
	not _excused(grant)
}

# METADATA
# description: Names of the grants that ask here and accept the caller as an approver.
eligible contains _name(grant) if {
	some grant in index.grants_for_anyone
	_approves(grant.require_approval)
}

# METADATA
# description: |
#   What a grant says beside its effect, as [name, what, value]; grants without an id share a name.
said contains [_name(grant), what, value] if {
	some grant in _mine
	some what in ["reason_code", "safe_message"]
	value := grant[what]
}

said contains [_name(grant), "channels", grant.require_approval.via] if some grant in _asking

_mine := [grant | some grant in index.grants; _addressed(grant.to)]

_allowing := [grant | some grant in _mine; not grant.require_approval]

_asking := [grant | some grant in _mine; grant.require_approval]

_within(grant) if not grant.within

_within(grant) if region.inside(grant.within, request.arguments)

_excused(grant) if region.inside(grant.unless_within, request.arguments)

# Every member of `to` must hold; an empty one addresses nobody.
_addressed(to) if {
	count(to) > 0
	every kind, value in to {
		_is(kind, value)
	}
}

_is("group", group) if group in request.groups

_is("user", id) if id == request.user.id

_is("actor_type", actor_type) if actor_type == request.actor_type

_is("agent", agent) if agent == request.agent

_is("surface", surface) if surface == request.surface

_is("anyone", true)

_name(grant) := grant.id

_name(grant) := concat(":", ["grant", grant.on]) if not grant.id

_approves(ask) if {
	requester := request.approval.requester
	_is_approver(ask.by, requester)
	not _barred(ask, requester)
}

_is_approver("manager_of_requester", requester) if request.user.id == data.directory[requester].manager

_is_approver(by, _) if request.user.id == by.user

_is_approver(by, _) if by.group in request.groups

_barred(ask, requester) if {
	ask["not"] == "requester"
	request.user.id == requester
}
