using System;
using System.Collections.Generic;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Admin.Pages;
using Postern.Proxy.Stats;

namespace Postern.Proxy.Admin;

/// <summary>The table of paths.</summary>
internal static class AdminPages
{
    public static IReadOnlyList<AdminPage> All(IAdminTarget target, StatsRegistry stats, ILogger logger, TimeProvider time)
    {
        var server = new ServerPages(target, time);
        var control = new ControlPages(target);
        var statistics = new StatsPage(stats);
        return
        [
            new("/certs", "certificates of TLS secrets in force (JSON)", new CertsPage(target, time).ServeAsync),
            new("/clusters", "clusters and endpoints in force; ?filter=regex ?format=json", new ClustersPage(target).ServeAsync),
            new("/config_dump", "configuration in force (JSON, secrets masked); ?resource= ?mask= ?name_regex= ?include_eds", new ConfigDumpPage(target).ServeAsync),
            new("/drain_listeners", "stop accepting; open connections finish", control.DrainAsync, AdminAccess.Changes),
            new("/healthcheck/fail", "make /ready fail", control.FailHealthCheckAsync, AdminAccess.Changes),
            new("/healthcheck/ok", "make /ready pass again", control.PassHealthCheckAsync, AdminAccess.Changes),
            new("/listeners", "listeners in force and their addresses; ?format=json", new ListenersPage(target).ServeAsync),
            new("/logging", "the level of logs; POST ?level=trace|debug|info|warning|error|critical|off sets it", new LoggingPage(target, logger).ServeAsync, AdminAccess.ChangesWithQuery),
            new("/memory", "memory of the process (JSON)", ServerPages.MemoryAsync),
            new("/quitquitquit", "stop the process as SIGTERM does", control.QuitAsync, AdminAccess.Changes),
            new("/ready", "200 LIVE, or 503 and the state", server.ReadyAsync),
            new("/server_info", "version, state, uptime, node (JSON)", server.InfoAsync),
            new("/stats", "all stats; ?usedonly ?filter=regex ?format=json|prometheus", statistics.ServeAsync),
            new("/stats/prometheus", "all stats for Prometheus; ?usedonly ?filter=regex", statistics.ServePrometheusAsync),
            new("/xds", "subscriptions to control planes, and what became of each resource; ?format=json", new XdsPage(target, time).ServeAsync),
        ];
    }
}
