using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace Postern.Proxy.Admin.Pages;

/// <summary>Pages that change the life of the process. They answer <c>OK</c> when it is under way.</summary>
internal sealed class ControlPages(IAdminTarget target)
{
    private const string Done = "OK\n";

    /// <summary>Open connections finish anyway, so <c>graceful</c> changes nothing; listeners have no direction that could be told apart.</summary>
    public Task DrainAsync(HttpContext context)
    {
        if (context.Request.Query.ContainsKey("inboundonly"))
        {
            throw new BadQueryException("inboundonly is not supported: a listener's direction is not known here; leave it out to drain all of them");
        }
        target.DrainListeners();
        return context.WriteTextAsync(StatusCodes.Status200OK, Done);
    }

    public Task FailHealthCheckAsync(HttpContext context)
    {
        target.FailHealthCheck(true);
        return context.WriteTextAsync(StatusCodes.Status200OK, Done);
    }

    public Task PassHealthCheckAsync(HttpContext context)
    {
        target.FailHealthCheck(false);
        return context.WriteTextAsync(StatusCodes.Status200OK, Done);
    }

    /// <summary>The answer is on its way before the end begins.</summary>
    public async Task QuitAsync(HttpContext context)
    {
        try
        {
            await context.WriteTextAsync(StatusCodes.Status200OK, Done).ConfigureAwait(false);
            await context.Response.CompleteAsync().ConfigureAwait(false);
        }
        finally
        {
            target.Quit();
        }
    }
}
