-- The session moves behind the new key, and the old key forwards to it for a while.
local p, old, new = place(1), argument(), argument()
local grace, till = argument(), tonumber(argument())
local user, proof, remembered = argument(), argument(), argument()
local created, seen, idle, absolute = argument(), argument(), argument(), argument()
local found = find(p, old)
if found.kind == 'forwarded' then
  return { 'stale' }
elseif found.kind ~= 'live' then
  return { 'gone', found.told }
end
local s = found.s
if proof ~= '' and user ~= s.user then
  return { 'refused', 'user' }
end
if redis.call('EXISTS', p.base .. new) == 1 then
  return { 'taken' }
end
local older, oldest = {}, nil
for digest in string.gmatch(s.older, '%S+') do
  local value = redis.call('GET', p.base .. digest)
  if value and string.sub(value, 1, 1) == 'F' then
    older[#older + 1] = digest
  end
end
if #older >= FORWARDS_MAX then
  oldest = table.remove(older, 1)
  redis.call('ZREM', p.due, oldest)
  local forward = parse_forward(redis.call('GET', p.base .. oldest))
  remember(p, oldest, { at = math.min(now, forward.till), reason = 'replaced', by = 'system' })
end
older[#older + 1] = old
forward_to(p, old, { till = till, grace = grace, id = s.id, user = s.user, proof = s.proof })
s.older = table.concat(older, ' ')
s.digest, s.unseen, s.version = new, '1', text(tonumber(s.version) + 1)
if proof ~= '' then
  s.proof, s.remembered = proof, tonumber(remembered)
end
if created ~= '' then
  s.created, s.seen = tonumber(created), tonumber(seen)
  s.absolute = tonumber(absolute)
  s.idle = math.min(tonumber(idle), s.absolute)
end
insert(p, s)
return { 'done', s.value }
