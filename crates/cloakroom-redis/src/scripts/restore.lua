-- Takes back a session that was parted with, unless somebody ended it meanwhile.
local p, digest, mark = place(1), argument(), argument()
local value = redis.call('GET', p.base .. digest)
local tomb = value and string.sub(value, 1, 1) == 'T' and parse_tomb(value)
if not tomb or tomb.mark ~= mark then
  return { 'gone', tomb and told(tomb) or '' }
end
local s = parse(argument(), digest)
for _ = 1, tonumber(argument()) do
  local older = argument()
  redis.call('ZREM', p.ended, older)
  forward_to(p, older, parse_forward(argument()))
end
redis.call('ZREM', p.ended, digest)
insert(p, s)
return { 'done', s.value }
