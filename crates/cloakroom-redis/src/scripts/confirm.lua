-- The newest key of a renewed session was seen: the grace of its older keys begins, if it has not.
local p, digest = place(1), argument()
local s = session(p, digest)
if not s or s.unseen ~= '1' then
  return { 'gone', '' }
end
for older in string.gmatch(s.older, '%S+') do
  local value = redis.call('GET', p.base .. older)
  if value and string.sub(value, 1, 1) == 'F' then
    local forward = parse_forward(value)
    if forward.grace ~= '-' then
      forward.till = math.min(forward.till, now + tonumber(forward.grace))
      forward.grace = '-'
      forward_to(p, older, forward)
    end
  end
end
s.unseen = '0'
save(p, s)
return { 'done', s.value }
