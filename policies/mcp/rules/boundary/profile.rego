# METADATA
# title: Only requests of the MCP profile are decided
# description: Another profile may mean something else by the same members.
# custom:
#   reason_code: POLICY_INDETERMINATE
package mcp.rules.boundary.profile

effect := "deny"

applies if not _profiled

_profiled if input.context.profile == "mcp/1"
