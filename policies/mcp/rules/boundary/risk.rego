# METADATA
# title: No capability above the risk ceiling of the surface, the environment or any agent
# description: An unknown tier is above every ceiling, and an unknown ceiling below every tier.
# custom:
#   reason_code: RISK_CEILING
package mcp.rules.boundary.risk

import data.mcp.request

effect := "deny"

applies if {
	some ceiling in _ceilings
	not _below(ceiling)
}

_below(ceiling) if _rank[request.capability.risk] <= _rank[ceiling]

_rank := {"low": 1, "medium": 2, "high": 3, "critical": 4}

_ceilings contains data.surfaces[request.surface].risk_max

_ceilings contains data.environments[request.environment].risk_max

_ceilings contains data.agents[agent].risk_max if some agent in request.chain
