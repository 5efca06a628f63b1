-- The first half of a login into another slot: the old session ends, marked as one that may be
-- taken back, and the answer is all that it was.
local p, digest, mark = place(1), argument(), argument()
local ended = ending()
local found = find(p, digest)
if found.kind == 'forwarded' then
  return { 'stale' }
elseif found.kind ~= 'live' then
  return { 'gone', found.told }
end
local s = found.s
local answer = { 'parted', s.value }
for older in string.gmatch(s.older, '%S+') do
  local value = redis.call('GET', p.base .. older)
  if value and string.sub(value, 1, 1) == 'F' then
    answer[#answer + 1] = older
    answer[#answer + 1] = value
  end
end
redis.call('ZREM', p.due, digest)
bury_older(p, s, ended)
remember(p, digest, ended, mark)
return answer
