using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Postern.Proxy.Admin;

/// <summary>
/// Finds the page and keeps the rules of methods. A page that changes something takes POST only, and none from a web page: a browser sends
/// <c>Origin</c> (or <c>Sec-Fetch-Site</c>) with every POST that a page starts, and curl and the agents do not.
/// </summary>
internal sealed partial class AdminApplication : IHttpApplication<HttpContext>
{
    private readonly Dictionary<string, AdminPage> pages = new(StringComparer.Ordinal);
    private readonly ILogger logger;
    private readonly string help;

    public AdminApplication(IReadOnlyList<AdminPage> all, ILogger logger)
    {
        this.logger = logger;
        foreach (var page in all)
        {
            pages.Add(page.Path, page);
        }
        help = List(all);
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            await ServeAsync(context).ConfigureAwait(false);
        }
        catch (BadQueryException e)
        {
            await context.WriteTextAsync(StatusCodes.Status400BadRequest, e.Message + "\n").ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            context.Abort(); // the reader left
        }
#pragma warning disable CA1031 // A page's bug is an answer of that page, and of nothing else.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogBug(logger, e, OneLine.Of(context.Request.Path.Value ?? ""));
            if (context.Response.HasStarted)
            {
                context.Abort(); // half an answer must not look whole
                return;
            }
            context.Response.Clear();
            await context.WriteTextAsync(StatusCodes.Status500InternalServerError, "the page failed; the log has the reason\n").ConfigureAwait(false);
        }
    }

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    private Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        var path = request.Path.Value ?? "";
        if (path is "/" or "/help")
        {
            return context.WriteTextAsync(StatusCodes.Status200OK, help);
        }
        if (!pages.TryGetValue(path, out var page))
        {
            return context.WriteTextAsync(StatusCodes.Status404NotFound, "no such path; these are served:\n" + help);
        }
        var posts = HttpMethods.IsPost(request.Method);
        if (posts && IsFromWebPage(request.Headers))
        {
            return context.WriteTextAsync(StatusCodes.Status403Forbidden, "a POST with an Origin (or a Sec-Fetch-Site) comes from a web page, and none may change this proxy; use curl\n");
        }
        if (!posts && (page.Access == AdminAccess.Changes || (page.Access == AdminAccess.ChangesWithQuery && request.Query.Count > 0)))
        {
            context.Response.Headers.Allow = "POST";
            return context.WriteTextAsync(StatusCodes.Status405MethodNotAllowed, $"{path} changes the proxy: use POST, as in curl -X POST\n");
        }
        if (!posts && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD, POST";
            return context.WriteTextAsync(StatusCodes.Status405MethodNotAllowed, $"{path} takes GET\n");
        }
        return page.Serve(context);
    }

    private static bool IsFromWebPage(IHeaderDictionary headers)
    {
        var site = headers["Sec-Fetch-Site"].ToString();
        return headers.Origin.Count > 0 || (site.Length > 0 && site != "none");
    }

    private static string List(IReadOnlyList<AdminPage> all)
    {
        var text = new StringBuilder();
        foreach (var page in all)
        {
            var method = page.Access switch
            {
                AdminAccess.Changes => "POST",
                AdminAccess.ChangesWithQuery => "GET or POST",
                _ => "GET",
            };
            text.Append($"  {page.Path,-22} {method,-12} {page.Help}\n");
        }
        return text.ToString();
    }

    [LoggerMessage(62, LogLevel.Error, "admin page {Path} failed with an unexpected exception")]
    private static partial void LogBug(ILogger logger, Exception exception, string path);
}
