using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http;

/// <summary>The flow that takes a request's body, or a tunnel's bytes, from the client to the server. Its owner waits for <see cref="Ended"/> before the streams go on to other requests.</summary>
internal sealed class Upload
{
    private Upload()
    {
    }

    /// <summary>Completes when the flow is over; never fails.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>What was wrong on the client's side, if that ended it.</summary>
    public ProxyError ClientError { get; private set; }

    /// <summary>Starts it.</summary>
    public static Upload Start(ClientStream stream, ServerStream server)
    {
        var upload = new Upload();
        upload.Ended = upload.RunAsync(stream, server);
        return upload;
    }

    private async Task RunAsync(ClientStream stream, ServerStream server)
    {
        while (true)
        {
            var reading = stream.ReadAsync();
            if (!reading.IsCompleted)
            {
                _ = await server.FlushAsync().ConfigureAwait(false); // a server that takes no more may have said why: its answer is being read
            }
            var read = await reading.ConfigureAwait(false);
            stream.Touch();
            if (read.IsEnd)
            {
                stream.RequestDeadline = 0;
            }
            if (read.Error.IsError)
            {
                ClientError = read.Error;
                server.Abort(read.Error); // the server must not take a part for the whole
                return;
            }
            if (!await server.SendAsync(read.Data, read.IsEnd, read.IsEnd ? stream.Trailers : null).ConfigureAwait(false) || read.IsEnd)
            {
                return;
            }
        }
    }
}
