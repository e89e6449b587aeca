//! Many at once, at several processes.
// spec: doctypes.md, "A metadata-document client gets a random name and the hash of its URL"

use crema_testkit::for_each_engine;
use crema_testkit::visitor::Redirect;

use super::*;

for_each_engine! {
    async fn two_users_who_allow_at_once_at_two_servers_get_one_record(engine: Engine) {
        let world = World::new(engine).await;
        let second = world.app.second_server().await;
        for round in 0..3 {
            // A new client each time.
            let id = format!("{ADDRESS}?{round}");
            world.describe(json!({"client_id": id}));
            let own = TestClient { client_id: id.clone(), ..client() };
            let mut pages = Vec::new();
            for (index, user) in [USER, OTHER, USER, OTHER].into_iter().enumerate() {
                let visitor = world.app.signed_in(user, PASSWORD).await;
                let server = if index < 2 { world.app.http() } else { second.http() };
                let mut visitor = visitor.at(server);
                let page = authorize(&mut visitor, &[("client_id", &id)]).await;
                assert_eq!(page.status, 200, "{}", page.text());
                pages.push((visitor, page));
            }
            let allowing: Vec<_> = pages
                .into_iter()
                .map(|(mut visitor, page)| {
                    tokio::spawn(async move { visitor.decide(&page, "allow").await })
                })
                .collect();
            for one in allowing {
                let redirect = Redirect::of(&one.await.unwrap());
                let code = redirect.param("code");
                assert_eq!(world.app.http().redeem(&own, code, &[]).await.status, 200);
            }
            assert_eq!(world.records().await, round + 1);
        }
        second.stop().await;
        world.close().await;
    }

    async fn every_process_reads_the_document_for_itself(engine: Engine) {
        let world = World::new(engine).await;
        let second = world.app.second_server().await;
        let mut visitor = world.user().await;
        let page = authorize(&mut visitor, &[]).await;
        // The answer to the page may reach another process than the one that showed it.
        let mut same = visitor.at(second.http());
        let redirect = Redirect::of(&same.decide(&page, "allow").await);
        assert_eq!(world.site.requests(), 2);
        let code = redirect.param("code");
        let tokens = second.http().redeem(&client(), code, &[]).await.tokens();
        assert_eq!(world.app.http().refresh(&client(), &tokens.refresh_token).await.status, 200);
        // Disabled by one process, it is disabled at the other.
        world.set(&[("enabled", "0")]).await.unwrap();
        let answer = authorize(&mut same, &[]).await;
        assert_eq!(answer.status, 400);
        second.stop().await;
        world.close().await;
    }
}
