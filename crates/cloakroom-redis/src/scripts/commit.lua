-- Changes fields and moves the idle deadline of a live session.
local p, digest = place(1), argument()
local expected, seen, idle = argument(), argument(), argument()
local found = find(p, digest)
if found.kind == 'gone' or found.kind == 'dormant' then
  return { 'gone', found.told }
end
local s = found.s
if expected ~= '' and expected ~= s.version then
  return view('conflict', found)
end
local moved = false
if seen ~= '' then
  local was_seen, was_idle = s.seen, s.idle
  s.seen = math.max(s.seen, tonumber(seen))
  s.idle = math.min(math.max(s.idle, tonumber(idle)), s.absolute)
  moved = s.seen ~= was_seen or s.idle ~= was_idle
end
local ops = operations()
if #ops > 0 then
  local refused = change(s, fields_of(s), ops)
  if refused then
    return refused
  end
  s.version = text(tonumber(s.version) + 1)
end
if moved then
  save(p, s)
elseif #ops > 0 then
  save_in_time(p, s)
end
return view('done', found)
