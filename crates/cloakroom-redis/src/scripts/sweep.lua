-- Frees what is over, at most `limit` of it, and says how much and whether there is more.
local p, limit = place(1), tonumber(argument())
local removed, more, gone = 0, '0', false

-- Whether the entry is over; one that was touched is filed again under its new deadline.
local function free(digest)
  local value = redis.call('GET', p.base .. digest)
  local first = value and string.sub(value, 1, 1)
  if first == 'S' then
    local s = parse(value, digest)
    if now < over_at(s) then
      redis.call('ZADD', p.due, text(over_at(s)), digest)
      return false
    end
    return true, function() bury(p, s, timeout(s)) end
  elseif first == 'F' then
    local forward = parse_forward(value)
    local s = session(p, digest_of(p, forward.id))
    if now < forward.till then
      redis.call('ZADD', p.due, text(forward.till), digest)
      return false
    end
    return true, function()
      redis.call('ZREM', p.due, digest)
      remember(p, digest, forward_over(forward, s))
    end
  end
  redis.call('ZREM', p.due, digest)
  return false
end

local over = redis.call('ZRANGEBYSCORE', p.due, '-inf', text(now), 'LIMIT', 0, LOOK)
-- What is not here is found before anything is freed: a script that ends half-way forgets what it
-- counted, and an ending frees the older keys of its session too.
for _, digest in ipairs(over) do
  if redis.call('EXISTS', p.base .. digest) == 0 then
    missing(p, digest)
    gone = true
  end
end
for _, digest in ipairs(over) do
  local is_over, bury_it = free(digest)
  if is_over then
    if removed == limit then
      return { 'done', text(removed), '1' }
    end
    bury_it()
    removed = removed + 1
  end
end
if redis.call('ZCOUNT', p.due, '-inf', text(now)) > 0 then
  return { 'done', text(removed), 'again' }
end
for _, digest in ipairs(redis.call('ZRANGEBYSCORE', p.ended, '-inf', text(now), 'LIMIT', 0, LOOK)) do
  if removed == limit then
    return { 'done', text(removed), '1' }
  end
  redis.call('ZREM', p.ended, digest)
  removed = removed + redis.call('DEL', p.base .. digest)
end
if redis.call('ZCOUNT', p.ended, '-inf', text(now)) > 0 then
  more = 'again'
end
if gone then
  each_session(p, everybody, nothing)
end
prune(p)
return { 'done', text(removed), more }
