//! Opening a PostgreSQL database: one pool for reading and writing, whose sessions are set up for short transactions
//! with known plans. A commit is on the server's disk before it is acknowledged; that the disk keeps it (`fsync`,
//! `full_page_writes`) is for the server's own configuration.

use std::future::ready;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseTransaction, DbErr, RuntimeErr};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

use super::{ConnectError, Doubt, Limits, Options, Pools};
use crate::error::root_cause;
use crate::statement::Sql;

/// Opens the database that `url` names.
pub(super) async fn open(url: &str, options: &Options) -> Result<Pools, ConnectError> {
    let Options { max_connections, acquire_timeout, call_timeout, connect_timeout, observer, .. } = options.clone();
    let connect: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
        let reason = root_cause(&DbErr::Conn(RuntimeErr::SqlxError(error.into())));
        ConnectError::Url(format!("the database URL cannot be read: {reason}"))
    })?;
    let server = format!("{}:{}/{}", connect.get_host(), connect.get_port(), name_of(&connect));
    let unreachable =
        |source: DbErr| ConnectError::Reach { server: server.clone(), reason: root_cause(&source), source };
    let connect = set_up(connect, call_timeout * 3 / 4);
    // The pool would only say that no connection was to be had, and not why.
    let encoding = tokio::time::timeout(connect_timeout, encoding(&connect))
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .map_err(|error| unreachable(DbErr::Conn(RuntimeErr::SqlxError(error.into()))))?;
    if encoding != "UTF8" {
        return Err(ConnectError::Encoding { server, encoding });
    }
    let size = max_connections.max(1);
    let doubt = Doubt::default();
    let limits = Limits { connections: size, call: Some(call_timeout), doubt: doubt.clone() };
    // The server is named by `connect`.
    let mut pool = ConnectOptions::new("postgres://");
    pool.min_connections(1)
        .max_connections(size)
        .acquire_timeout(acquire_timeout.min(call_timeout))
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |_| connect.clone())
        .map_sqlx_postgres_pool_opts(move |pool| {
            let (before, after) = (doubt.clone(), doubt.clone());
            pool.after_connect(|session, _| Box::pin(insist_on_flushing(session)))
                .test_before_acquire(false)
                .before_acquire(move |session, known| {
                    let doubt = before.clone();
                    Box::pin(async move { Ok(doubt.allows(session, known, call_timeout / 2).await) })
                })
                .after_release(move |_, known| Box::pin(ready(Ok(!after.concerns(known.age)))))
        });
    let mut pool = Database::connect(pool).await.map_err(unreachable)?;
    if let Some(observer) = observer {
        pool.set_metric_callback(move |info| observer(&info.statement.sql, info.elapsed));
    }
    Ok(Pools { writer: pool.clone(), readers: pool, prepared: None, limits })
}

/// Lets this process alone bring the schema up to date until the transaction ends, however long that takes.
pub(super) async fn queue_for_migrating(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    const MIGRATING: i64 = 0x7061_726c_616e_6365;
    Sql::new("SET LOCAL statement_timeout = 0").run(transaction).await?;
    Sql::new("SET LOCAL idle_in_transaction_session_timeout = 0").run(transaction).await?;
    Sql::new("SELECT pg_advisory_xact_lock(?)").bind(MIGRATING).run(transaction).await?;
    Ok(())
}

fn name_of(connect: &PgConnectOptions) -> &str {
    // Without a name, the server takes the user's.
    connect.get_database().unwrap_or_else(|| connect.get_username())
}

fn set_up(connect: PgConnectOptions, statement_timeout: Duration) -> PgConnectOptions {
    let millis = statement_timeout.as_millis().max(1).to_string();
    let connect = match connect.get_application_name() {
        Some(_) => connect,
        None => connect.application_name("parlance"),
    };
    connect.statement_cache_capacity(200).options([
        ("statement_timeout", millis.as_str()),
        // A client that vanished must not hold locks on conversations.
        ("idle_in_transaction_session_timeout", millis.as_str()),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("default_transaction_isolation", "read committed"),
        // Every statement is written for an index, and the statistics of a young database are those of an empty one:
        // a plan that scans a small table would be kept while the table grows. (What no index answers scans all the
        // same.) Random pages are in memory, or on a disk that does not mind.
        ("enable_seqscan", "off"),
        ("random_page_cost", "1.1"),
        // Compiling such a statement takes longer than running it.
        ("jit", "off"),
    ])
}

async fn encoding(connect: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut session = PgConnection::connect_with(connect).await?;
    let encoding = sqlx::query_scalar("SELECT current_setting('server_encoding')").fetch_one(&mut session).await?;
    session.close().await?;
    Ok(encoding)
}

/// A server, database or role may say `synchronous_commit=off`, which loses what was acknowledged. What waits for
/// more than this server's disk is left as it is.
async fn insist_on_flushing(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    const INSIST: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                          WHERE current_setting('synchronous_commit') = 'off'";
    session.execute(INSIST).await?;
    Ok(())
}
