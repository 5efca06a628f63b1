-- A new session of the same user begins behind the key of a dormant one.
local p, digest = place(1), argument()
local found = find(p, digest)
if found.kind == 'live' or found.kind == 'forwarded' then
  return view('live', found)
elseif found.kind == 'gone' then
  return { 'gone', found.told }
end
local s = draft(digest)
if s.user ~= found.s.user then
  return { 'refused', 'user' }
end
if redis.call('HEXISTS', p.ids, s.id) == 1 then
  return { 'refused', 'id' }
end
local refused = change(s, kept_fields(found.s), operations())
if refused then
  return refused
end
redis.call('HDEL', p.ids, found.s.id)
bury_older(p, found.s, { at = now, reason = 'replaced', by = 'holder' })
insert(p, s)
return { 'done', s.value }
