use super::*;

fn url(path: &str) -> Url {
    Url::parse("https://shop.example").unwrap().join(path).unwrap()
}

fn at(path: &str) -> Target {
    Target { url: url(path), depth: 1, hops: 0 }
}

fn frontier(plan: CrawlPlan) -> Frontier {
    Frontier::new(plan, Robots::default())
}

/// The paths in the order of their visits.
fn visits(frontier: &mut Frontier) -> Vec<String> {
    std::iter::from_fn(|| frontier.next()).map(|target| path_and_query(&target.url)).collect()
}

/// Whether it waits, or why not.
fn fate(plan: CrawlPlan, target: Target) -> Option<Unvisited> {
    let mut frontier = frontier(plan);
    frontier.offer(target);
    frontier.waiting.clear();
    frontier.finish().into_keys().next()
}

#[test]
fn what_ends_something_is_not_visited() {
    for path in [
        "/logout",
        "/log-out",
        "/account/signOut",
        "/user/Logoff.php",
        "/accounts/sign_out/",
        "/x?action=logout",
        "/x?do=delete&id=7",
        "/delete/7",
        "/items/7/remove",
        "/cart/clear",
        "/wp-login.php?action=logout&_wpnonce=1",
        "/oauth/revoke",
        "/newsletter/unsubscribe?u=1",
        "/?logout",
        "/admin/db/drop",
        "/reset",
        "/oidc/endSession",
        "/user%2Flogout",
        "/DELETE",
    ] {
        assert_eq!(fate(CrawlPlan::default(), at(path)), Some(Unvisited::Destructive), "{path}");
    }
    for path in [
        "/",
        "/login",
        "/logouts-explained-in-depth",
        "/password/reset",
        "/about/deletions",
        "/catalogue",
        "/blog/outlook",
        "/search?q=shoes",
        "/stopwatch",
        "/sign-in/out-of-hours",
    ] {
        assert_eq!(fate(CrawlPlan::default(), at(path)), None, "{path}");
    }
}

#[test]
fn what_somebody_named_is_left_out_with_all_below_it() {
    let plan = || CrawlPlan { leave_out: vec!["/admin/".to_owned()], ..CrawlPlan::default() };

    let fates = ["/admin", "/admin/users", "/administrator"].map(|path| fate(plan(), at(path)));

    assert_eq!(fates, [Some(Unvisited::LeftOut), Some(Unvisited::LeftOut), None]);
}

#[test]
fn robots_are_heeded_unless_somebody_says_otherwise() {
    for (heeds_robots, waiting) in [(true, 0), (false, 1)] {
        let plan = CrawlPlan { heeds_robots, ..CrawlPlan::default() };
        let mut frontier = Frontier::new(plan, Robots::read(b"User-agent: *\nDisallow: /private"));

        frontier.offer(at("/private/x"));

        assert_eq!(frontier.waiting.len(), waiting);
    }
}

#[test]
fn depth_and_redirects_are_followed_up_to_their_limits_and_no_further() {
    let fate = |depth, hops| fate(CrawlPlan::default(), Target { url: url("/a"), depth, hops });

    assert_eq!(fate(DEPTH, HOPS_MOST), None);
    assert_eq!(fate(DEPTH + 1, 0), Some(Unvisited::Deep));
    assert_eq!(fate(0, HOPS_MOST + 1), Some(Unvisited::Redirects));
}

#[test]
fn a_path_has_a_few_queries_and_no_more() {
    let mut frontier = frontier(CrawlPlan::default());

    (0..QUERIES_MOST + 3).for_each(|day| frontier.offer(at(&format!("/calendar?day={day}"))));

    assert_eq!(visits(&mut frontier).len(), QUERIES_MOST);
    assert_eq!(frontier.finish()[&Unvisited::Queries].count, 3);
}

#[test]
fn addresses_that_grow_are_left() {
    let long = |length: usize| {
        let rest = length - url("/").as_str().len();
        Target { url: url(&format!("/{}", "x".repeat(rest))), depth: 0, hops: 0 }
    };
    let fate = |target| fate(CrawlPlan::default(), target);

    assert_eq!(fate(at("/a/b/a/b")), None);
    assert_eq!(fate(at("/a/b/a/b/a")), Some(Unvisited::Circle));
    assert_eq!(fate(long(ADDRESS_LONGEST)), None);
    assert_eq!(fate(long(ADDRESS_LONGEST + 1)), Some(Unvisited::Circle));
}

#[test]
fn one_page_under_several_addresses_is_visited_once() {
    let mut frontier = frontier(CrawlPlan::default());
    frontier.begin(&url("/"));

    for path in
        ["/#top", "/?sid=1", "/a?x=1&y=2", "/a?y=2&x=1", "/a;jsessionid=7?x=1&y=2", "/a.png"]
    {
        frontier.offer(at(path));
    }

    assert_eq!(visits(&mut frontier), ["/", "/a?x=1&y=2"]);
}

#[test]
fn many_pages_of_one_kind_do_not_hide_the_others() {
    let mut frontier = frontier(CrawlPlan::default());
    frontier.begin(&url("/"));
    (0..500).for_each(|n| frontier.offer(at(&format!("/shop/item/{n}/view"))));
    frontier.offer(at("/login"));

    let first: Vec<String> = visits(&mut frontier).into_iter().take(4).collect();

    assert!(first.contains(&"/login".to_owned()), "{first:?}");
}

#[test]
fn what_still_waits_at_the_end_is_told() {
    let mut frontier = frontier(CrawlPlan::default());
    (0..NAMED_MOST + 2).for_each(|n| frontier.offer(at(&format!("/{n}?token=secret"))));

    let skipped = frontier.finish();

    let enough = &skipped[&Unvisited::Enough];
    assert_eq!((enough.count, enough.named.len()), (NAMED_MOST + 2, NAMED_MOST));
    assert_eq!(enough.named[0], "https://shop.example/0?token=***");
}

#[test]
fn a_site_of_any_size_is_known_in_part() {
    let mut frontier = frontier(CrawlPlan::default());

    (0..KNOWN_MOST + 5).for_each(|n| frontier.offer(at(&format!("/{n}"))));

    assert_eq!((frontier.known.len(), frontier.waiting.len()), (KNOWN_MOST, KNOWN_MOST));
    assert_eq!(frontier.skipped[&Unvisited::Enough].count, 5);
}
