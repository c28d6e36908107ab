# METADATA
# title: Nothing crosses the environment boundary
# description: Unknown on either side counts as different.
# custom:
#   reason_code: ENVIRONMENT_BOUNDARY
package mcp.rules.boundary.environment

import data.mcp.request

effect := "deny"

applies if not _same

_same if request.capability.environment == request.environment
