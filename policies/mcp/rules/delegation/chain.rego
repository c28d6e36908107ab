# METADATA
# title: An agent does only what every link of its chain may do
# description: |
#   Every link must be a known agent, be allowed the capability, and have been delegated to by the
#   link before it. An unknown or unproved link may do nothing.
# custom:
#   reason_code: DELEGATION_NOT_ALLOWED
package mcp.rules.delegation.chain

import data.mcp.request

effect := "deny"

applies if {
	some agent in request.chain
	not _may(agent)
}

applies if {
	some i, agent in request.chain
	i > 0
	next := request.chain[i - 1]
	not _delegates(agent, next)
}

applies if not request.chain

_may(agent) if {
	some pattern in data.agents[agent].may
	pattern in request.patterns
}

_delegates(agent, next) if next in data.agents[agent].delegates_to
