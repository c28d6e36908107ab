# METADATA
# title: How a call would be authorized is accepted by the surface, the environment and every agent
# description: An entry without a credential mode has none that a list could accept.
# custom:
#   reason_code: CREDENTIAL_MODE
package mcp.rules.boundary.credential

import data.mcp.request

effect := "deny"

applies if {
	some accepted in _accepted
	not _among(accepted)
}

_among(accepted) if request.capability.credential_mode in accepted

_accepted contains data.surfaces[request.surface].credential_modes

_accepted contains data.environments[request.environment].credential_modes

_accepted contains data.agents[agent].credential_modes if some agent in request.chain
