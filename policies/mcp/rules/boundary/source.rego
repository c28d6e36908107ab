# METADATA
# title: Where a capability comes from is accepted by the surface, the environment and every agent
# description: An entry without a source has none that a list could accept.
# custom:
#   reason_code: SOURCE_NOT_ACCEPTED
package mcp.rules.boundary.source

import data.mcp.request

effect := "deny"

applies if {
	some accepted in _accepted
	not _among(accepted)
}

_among(accepted) if request.capability.source in accepted

_accepted contains data.surfaces[request.surface].sources

_accepted contains data.environments[request.environment].sources

_accepted contains data.agents[agent].sources if some agent in request.chain
