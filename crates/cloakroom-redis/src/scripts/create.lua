-- Makes a session out of nothing, and never overwrites one.
local p = place(1)
local s = draft(argument())
s.spans, s.json = argument(), argument()
if is_taken(p, s.digest, s.id) then
  return { 'taken' }
end
local leaving, others = room(p, s, nil)
if not leaving then
  return full(others)
end
prune(p)
local answer = make_room(p, leaving)
insert(p, s)
answer[2] = s.value
return answer
