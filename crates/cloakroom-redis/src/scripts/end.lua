-- Ends one session, live or dormant, by its key or by its id. A repetition after a failover
-- remembers the ending even of what is not there, so that it cannot come back later.
local p, digest, id, again = place(1), argument(), argument(), argument()
local ended = ending()
local found
if digest ~= '' then
  found = find(p, digest)
else
  digest = digest_of(p, id)
  if not digest then
    return { 'gone', '' }
  end
  found = find(p, digest)
  if found.kind == 'forwarded' then
    return { 'gone', '' }
  end
end
if found.kind == 'live' or found.kind == 'dormant' then
  finish(p, found.s, ended)
  return { 'ended', found.s.value, digest }
elseif found.kind == 'forwarded' then
  return { 'stale' }
end
if found.tomb then
  settle(p, digest, found.tomb)
elseif again == '1' and not found.s then
  remember(p, digest, ended)
end
return { 'gone', found.told }
