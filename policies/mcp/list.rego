# METADATA
# title: A whole catalogue in one evaluation
# description: |
#   `input.resources` holds the items; the rules see each of them as `input.resource`, unchanged.
package mcp.list

import data.mcp.main

# METADATA
# description: The positions of the items that are visible.
visible := [i | some i, item in input.resources; main.visible with input.resource as item]
