-- The sessions of one user, or of everybody on the route, after an id and in the order of ids.
local p, tag, user = place(1), argument(), argument()
local after, limit = argument(), tonumber(argument())
local found = {}
each_session(p, function(other) return tag == '*' or other == tag end, function(s)
  local is_wanted = s and now < over_at(s) and (tag == '*' or s.user == user)
  if is_wanted and s.id > after then
    found[#found + 1] = s
  end
end)
table.sort(found, function(a, b) return a.id < b.id end)
local answer = { 'done' }
for at = 1, math.min(limit, #found) do
  answer[at + 1] = found[at].value
end
return answer
