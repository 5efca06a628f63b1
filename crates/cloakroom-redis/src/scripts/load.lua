-- What is behind each digest, at one moment. KEYS[n] is the route of the n-th; as many sessions follow.
local answers = {}
for n = 1, #KEYS / 2 do
  local found = find(place(n), argument())
  if found.kind == 'gone' then
    answers[n] = { 'gone', found.told }
  else
    answers[n] = view(found.kind, found)
  end
end
return answers
