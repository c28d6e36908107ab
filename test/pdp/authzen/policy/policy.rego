# METADATA
# title: The to-do list and the API gateway of the AuthZEN interoperability scenarios
# description: Who somebody is, is looked up in data by the id of the subject.
package authzen

default allow := false

user := data.users[input.subject.id]

allow if {
	some role in user.roles
	role in data.anybodys[input.action.name]
}

allow if {
	some role in user.roles
	role in data.own[input.action.name]
	input.resource.properties.ownerID == user.mail
}

allow if {
	input.resource.type == "route"
	some role in user.roles
	role in data.routes[input.resource.id][input.action.name]
}
