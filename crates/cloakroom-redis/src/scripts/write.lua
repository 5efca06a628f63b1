-- How sessions are written. Nothing here asks whether a session is live: the scripts do, first.
--
-- The server frees a key a minute after nobody can be told anything of it any more, since the clocks
-- of services differ by up to half a minute from its own.
local LEEWAY = 60000

local function time_to_live(till)
  return math.max(0, till + kept - now) + LEEWAY
end

local function keep(key, left)
  if redis.call('PTTL', key) < left then
    redis.call('PEXPIRE', key, text(left))
  end
end

-- Fields that did not change are taken over as they were written.
local function render(s)
  local fields = s.json and s.spans .. '\n' .. s.json or string.sub(s.value, s.data)
  return table.concat({
    'S1 ', s.version, ' ', text(s.created), ' ', text(s.seen), ' ', text(s.idle), ' ',
    text(s.absolute), ' ', text(s.remembered), ' ', s.id, ' ', s.tag, ' ', s.unseen, '\n',
    s.user, '\n', s.older, '\n', s.proof, '\n', s.agent, '\n', fields,
  })
end

-- Writes a session that is there, and lets its route's index live as long as it.
local function save(p, s)
  local left = time_to_live(over_at(s))
  s.value = render(s)
  redis.call('SET', p.base .. s.digest, s.value, 'PX', text(left))
  keep(p.ids, left)
  keep(p.due, left)
end

-- The same where the deadlines are what they were.
local function save_in_time(p, s)
  s.value = render(s)
  redis.call('SET', p.base .. s.digest, s.value, 'KEEPTTL')
end

local function insert(p, s)
  redis.call('HSET', p.ids, s.id, s.digest .. ' ' .. s.tag)
  redis.call('ZADD', p.due, text(over_at(s)), s.digest)
  save(p, s)
end

local function forward_to(p, digest, forward)
  local value = table.concat({
    'F1 ', text(forward.till), ' ', forward.grace, ' ', forward.id, '\n', forward.user, '\n',
    forward.proof,
  })
  local left = time_to_live(forward.till)
  redis.call('SET', p.base .. digest, value, 'PX', text(left))
  redis.call('ZADD', p.due, text(forward.till), digest)
  keep(p.due, left)
end

local function is_taken(p, digest, id)
  return redis.call('EXISTS', p.base .. digest) == 1 or redis.call('HEXISTS', p.ids, id) == 1
end

-- A session as the caller drafted it, without its fields.
local function draft(digest)
  local s = { digest = digest, version = '1', unseen = '0', older = '' }
  s.id, s.tag, s.user = argument(), argument(), argument()
  s.created, s.seen = tonumber(argument()), tonumber(argument())
  s.idle, s.absolute = tonumber(argument()), tonumber(argument())
  s.remembered, s.proof, s.agent = tonumber(argument()), argument(), argument()
  s.idle = math.min(s.idle, s.absolute)
  return s
end
