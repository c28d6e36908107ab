# METADATA
# title: The tables that grants name
# description: |
#   `{data: transfer_limits}` in a grant reads `data.transfer_limits` at the caller's id. Rego cannot
#   read a root that only the data names, so `portcullis build` and `portcullis test` write this
#   package anew with a line for each root of the data they see, and the decision point lays tables
#   that came later beside the data; under plain `opa test` no table has an entry.
package mcp.tables

# METADATA
# description: The entry of a table for a key.
entry(name, key) := data.portcullis.index.tables[name][key]
