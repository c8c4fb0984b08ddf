using System;
using System.IO;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Api;

namespace Postern.Agent.Cli;

/// <summary>Asks a running agent over its socket.</summary>
internal sealed class ApiClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly string socketPath;
    private readonly HttpMessageInvoker client;

    public ApiClient(string socketPath)
    {
        this.socketPath = socketPath;
        client = new HttpMessageInvoker(new SocketsHttpHandler { ConnectCallback = (_, token) => ConnectAsync(socketPath, token) });
    }

    public void Dispose() => client.Dispose();

    /// <summary>The answer's text.</summary>
    /// <exception cref="ApiException">No agent, or it refuses.</exception>
    public async Task<string> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://agent" + path);
        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="GetAsync"/>, with a question.</summary>
    public async Task<string> PostAsync<T>(string path, T question, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://agent" + path);
        request.Content = new StringContent(JsonSerializer.Serialize(question, ApiJson.Options), Encoding.UTF8, "application/json");
        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An answer without end, line by line.</summary>
    public async Task FollowAsync(string path, Action<string> line, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://agent" + path);
        try
        {
            using var response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } text)
            {
                line(text);
            }
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            throw Refused(e);
        }
        throw new ApiException($"the agent on '{socketPath}' closed the connection; was it stopped?", 1);
    }

    private async Task<string> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            using var response = await client.SendAsync(request, limit.Token).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(limit.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? text : throw new ApiException(ErrorOf(text) ?? $"the agent answers {(int)response.StatusCode} to {request.RequestUri!.PathAndQuery}", 2);
        }
        catch (HttpRequestException e)
        {
            throw Refused(e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"the agent on '{socketPath}' did not answer within {Limit.TotalSeconds:0} s", 1);
        }
    }

    private ApiException Refused(Exception e) =>
        new($"no agent answers on '{socketPath}' ({(File.Exists(socketPath) ? e.InnerException?.Message ?? e.Message : "there is no such socket")}); does postern-agent run? Name its socket with --api-socket PATH", 1);

    private static string? ErrorOf(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<ApiError>(text, ApiJson.Options)?.Error;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async System.Threading.Tasks.ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>What the command line tells instead of an answer.</summary>
internal sealed class ApiException(string message, int exitCode) : Exception(message)
{
    /// <summary>2 for a wrong question, 1 for all else.</summary>
    public int ExitCode => exitCode;
}
