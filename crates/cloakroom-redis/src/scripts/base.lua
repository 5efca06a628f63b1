-- What every script begins with: its arguments, the keys of a route, and how values are read.
--
-- KEYS[n] names the ids of a route, such as `cloakroom:{1f2e}:ids`. Every key that a script touches
-- has the same tag in braces, so they all are in one slot. The keys of the sessions that the caller
-- knows follow: a cluster that moves the slot then says so, if it moved only some of them.
-- The time is an argument, never TIME. Times fit into 53 bits, which is what a number of Lua holds
-- exactly; versions are compared as text.
local now, kept, may_move = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local feed = ARGV[4]
local next_argument = 5

local function argument()
  local value = ARGV[next_argument]
  next_argument = next_argument + 1
  return value
end

local function text(number)
  return string.format('%.0f', number)
end

-- A route: `ids` leads from public ids to sessions, `due` says what a sweep looks at and when, and
-- `ended` which reasons are remembered until when. Sessions stand behind `base` and their digest.
local function place(n)
  local base = string.sub(KEYS[n], 1, -4)
  return { base = base, ids = KEYS[n], due = base .. 'due', ended = base .. 'ended' }
end

local HEADER = '^S1 (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%x+) (%S+) ([01])\n()'

-- The line that begins at a place, and where the next one begins. Looking for a character is several
-- times cheaper than matching a pattern.
local function line(value, from)
  local to = string.find(value, '\n', from, true)
  if not to then
    error({ err = 'CORRUPT a stored session cannot be read' })
  end
  return string.sub(value, from, to - 1), to + 1
end

-- A session without its fields, which stay where they are: from `data` on, names and lengths in one
-- line and then the values.
local function parse(value, digest)
  local version, created, seen, idle, absolute, remembered, id, tag, unseen, at =
    string.match(value, HEADER)
  if not version then
    error({ err = 'CORRUPT a stored session cannot be read' })
  end
  local s = {
    digest = digest, value = value, version = version,
    created = tonumber(created), seen = tonumber(seen),
    idle = tonumber(idle), absolute = tonumber(absolute), remembered = tonumber(remembered),
    id = id, tag = tag, unseen = unseen,
  }
  s.user, at = line(value, at)
  s.older, at = line(value, at)
  s.proof, at = line(value, at)
  s.agent, s.data = line(value, at)
  return s
end

local function deadline(s)
  return math.min(s.idle, s.absolute)
end

-- From here on nothing can be done with the session any more.
local function over_at(s)
  return math.max(deadline(s), s.remembered)
end

local function timeout(s)
  local reason = s.absolute <= s.idle and 'absolute' or 'idle'
  return { at = deadline(s), reason = reason, by = 'system' }
end

-- What is still told of an ending.
local function told(ended)
  if now < ended.at + kept then
    return text(ended.at) .. ' ' .. ended.reason .. ' ' .. ended.by
  end
  return ''
end

local function parse_tomb(value)
  local at, reason, mark, by = string.match(value, '^T1 (%d+) (%S+) (%S+) (.*)$')
  if not at then
    error({ err = 'CORRUPT a stored ending cannot be read' })
  end
  return { at = tonumber(at), reason = reason, mark = mark, by = by }
end

local function parse_forward(value)
  local till, grace, id, user, proof = string.match(value, '^F1 (%d+) (%S+) (%x+)\n([^\n]*)\n(.*)$')
  if not till then
    error({ err = 'CORRUPT a stored forwarder cannot be read' })
  end
  return { till = tonumber(till), grace = grace, id = id, user = user, proof = proof }
end

-- A session that the index has and that is not here was freed by the server long after it was over,
-- or it is on the way to another server of the cluster: whoever asks finds that out, and asks again.
local function missing(p, digest)
  local due = may_move and redis.call('ZSCORE', p.due, digest)
  local is_over = due and tonumber(due) + kept < now
  if may_move and not is_over then
    error({ err = 'MOVING a session of the route is not here' })
  end
end

local function digest_of(p, id)
  local entry = redis.call('HGET', p.ids, id)
  local digest = entry and string.sub(entry, 1, 40)
  if digest and redis.call('EXISTS', p.base .. digest) == 0 then
    missing(p, digest)
    return nil
  end
  return digest
end

-- The session behind a digest, whatever the clocks say.
local function session(p, digest)
  local value = digest and redis.call('GET', p.base .. digest)
  if value and string.sub(value, 1, 1) == 'S' then
    return parse(value, digest)
  end
  return nil
end

-- How an older key ends: by its own time or with its session, whichever came first.
local function forward_over(forward, s)
  if s and deadline(s) <= now and deadline(s) < forward.till then
    return timeout(s)
  end
  if forward.till <= now then
    return { at = forward.till, reason = 'replaced', by = 'system' }
  end
  return nil
end

local function judged(s)
  if now < deadline(s) then
    return { kind = 'live', s = s }
  end
  local kind = now < s.remembered and 'dormant' or 'gone'
  return { kind = kind, s = s, told = told(timeout(s)) }
end

-- What is behind a digest now: live, forwarded, dormant or gone.
local function find(p, digest)
  local value = redis.call('GET', p.base .. digest)
  if not value then
    return { kind = 'gone', told = '' }
  end
  local first = string.sub(value, 1, 1)
  if first == 'S' then
    return judged(parse(value, digest))
  elseif first == 'T' then
    local tomb = parse_tomb(value)
    return { kind = 'gone', told = told(tomb), tomb = tomb }
  end
  local forward = parse_forward(value)
  local s = session(p, digest_of(p, forward.id))
  if not s then
    return { kind = 'gone', told = '' }
  end
  local over = forward_over(forward, s)
  if over then
    return { kind = 'gone', told = told(over) }
  end
  return { kind = 'forwarded', s = s, before = forward }
end

-- An answer with a session, as whoever asked may see it.
local function view(kind, found)
  if found.before then
    return { kind, found.s.value, found.before.user, found.before.proof }
  end
  return { kind, found.s.value }
end
