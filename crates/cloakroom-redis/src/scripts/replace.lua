-- The live session of the old key ends, and a new one begins behind the new key. KEYS[1] is the
-- route of the old one, KEYS[2] of the new one.
local from, to = place(1), place(2)
local old, new = argument(), argument()
local ended = ending()
local found = find(from, old)
if found.kind == 'forwarded' then
  return { 'stale' }
elseif found.kind ~= 'live' then
  return { 'gone', found.told }
end
local s = draft(new)
if is_taken(to, new, s.id) then
  return { 'taken' }
end
local refused = change(s, kept_fields(found.s), operations())
if refused then
  return refused
end
local leaving, others = room(to, s, found.s.id)
if not leaving then
  return full(others)
end
local answer = make_room(to, leaving)
finish(from, found.s, ended)
insert(to, s)
answer[2] = s.value
return answer
