-- The sessions of one user, live or dormant. Entries that lead nowhere any more are dropped.
local PARTED_FOR = 60000

local function is_leftover(p, digest, value)
  if not value then
    missing(p, digest)
    return true
  end
  if string.sub(value, 1, 1) ~= 'T' then
    return false
  end
  local tomb = parse_tomb(value)
  return tomb.mark == '-' or tomb.at + PARTED_FOR < now
end

-- Every session of the route for which `wanted` says yes to its tag.
local function each_session(p, wanted, visit)
  local entries = redis.call('HGETALL', p.ids)
  for at = 1, #entries, 2 do
    local digest, tag = string.sub(entries[at + 1], 1, 40), string.sub(entries[at + 1], 42)
    if wanted(tag) then
      local value = redis.call('GET', p.base .. digest)
      if value and string.sub(value, 1, 1) == 'S' then
        visit(parse(value, digest))
      elseif is_leftover(p, digest, value) then
        redis.call('HDEL', p.ids, entries[at])
        redis.call('ZREM', p.due, digest)
      elseif value then
        visit(nil, digest, parse_tomb(value))
      end
    end
  end
end

local function sessions_of(p, tag, user)
  local found = {}
  each_session(p, function(other) return other == tag end, function(s)
    if s and s.user == user and now < over_at(s) then
      found[#found + 1] = s
    end
  end)
  return found
end

-- Makes room for one more session of a user beside `spare`: those that have to leave, or nil and
-- those that exist.
local function room(p, s, spare)
  local max, policy = tonumber(argument()), argument()
  if max == 0 or s.tag == '-' then
    return {}
  end
  local others = {}
  for _, other in ipairs(sessions_of(p, s.tag, s.user)) do
    if other.id ~= spare then
      others[#others + 1] = other
    end
  end
  local surplus = #others + 1 - max
  if surplus <= 0 then
    return {}
  end
  if policy == 'refuse' then
    return nil, others
  end
  table.sort(others, function(a, b)
    if a.seen ~= b.seen then
      return a.seen < b.seen
    end
    return a.id < b.id
  end)
  local leaving = {}
  for at = 1, surplus do
    leaving[at] = others[at]
  end
  return leaving
end

local function full(others)
  local answer = { 'full' }
  for _, other in ipairs(others) do
    answer[#answer + 1] = other.value
  end
  return answer
end

-- Ends those that leave; the answer has room for the session that comes, and tells who they were.
local function make_room(p, leaving)
  local answer = { 'done', '' }
  for _, other in ipairs(leaving) do
    finish(p, other, { at = now, reason = 'evicted', by = 'system' })
    answer[#answer + 1] = other.id
    answer[#answer + 1] = other.digest
  end
  return answer
end
