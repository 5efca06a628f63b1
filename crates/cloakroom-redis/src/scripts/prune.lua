-- Drops the entries of sessions that the server itself freed a while ago.
local function everybody()
  return true
end

local function nothing()
end

local function prune(p)
  local long_over = redis.call('ZRANGEBYSCORE', p.due, '-inf', text(now - kept), 'LIMIT', 0, 2)
  local gone = {}
  for _, digest in ipairs(long_over) do
    if redis.call('EXISTS', p.base .. digest) == 0 then
      gone[#gone + 1] = digest
    end
  end
  if #gone > 0 then
    each_session(p, everybody, nothing)
    redis.call('ZREM', p.due, unpack(gone))
  end
end
