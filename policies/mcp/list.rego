# METADATA
# title: A whole catalogue in one evaluation
# description: |
#   `input.resources` holds the items; the rules see each of them as `input.resource`, unchanged.
package mcp.list

import data.mcp.main

# METADATA
# description: Of each item in order whether it is visible, why, and by which rules.
items := [listed | some item in input.resources; listed := main.listing with input.resource as item]

# METADATA
# description: The positions of the items that are visible.
visible := [i | some i, item in input.resources; main.visible with input.resource as item]
