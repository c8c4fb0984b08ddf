using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Google.Protobuf.Reflection;
using Postern.Grpc.Reflection.V1;
using Postern.Grpc.Server;

namespace Postern.Grpc.Reflection;

/// <summary>Server reflection, v1 and v1alpha: tells tools which services there are and what their messages look like.</summary>
public sealed class ReflectionService
{
    /// <summary>Full name of the service, v1.</summary>
    public const string NameV1 = "grpc.reflection.v1.ServerReflection";

    /// <summary>Full name of the service, v1alpha.</summary>
    public const string NameV1Alpha = "grpc.reflection.v1alpha.ServerReflection";

    private readonly DescriptorIndex index;
    private readonly List<string> names = [NameV1, NameV1Alpha];

    private ReflectionService(IReadOnlyList<ServiceDefinition> services)
    {
        var files = new List<FileDescriptor> { ReflectionReflection.Descriptor, V1Alpha.ReflectionReflection.Descriptor };
        foreach (var service in services)
        {
            names.Add(service.Name);
            if (service.File is { } file)
            {
                files.Add(file);
            }
        }
        names.Sort(StringComparer.Ordinal);
        index = new DescriptorIndex(files);
    }

    /// <summary>The two services that describe these and themselves; to be given to a server beside them.</summary>
    public static IReadOnlyList<ServiceDefinition> Definitions(IReadOnlyList<ServiceDefinition> services)
    {
        var reflection = new ReflectionService(services);
        return [reflection.Definition(NameV1, ReflectionReflection.Descriptor), reflection.Definition(NameV1Alpha, V1Alpha.ReflectionReflection.Descriptor)];
    }

    /// <summary>The method of one of the two versions. Their messages are the same on the wire, so those of v1 do for both.</summary>
    internal static Method<ServerReflectionRequest, ServerReflectionResponse> Info(string name) =>
        new(MethodType.DuplexStreaming, name, "ServerReflectionInfo", ServerReflectionRequest.Parser, ServerReflectionResponse.Parser);

    private ServiceDefinition Definition(string name, FileDescriptor file) => new ServiceDefinition(name, file).Add(Info(name), AnswerAsync);

    private async Task AnswerAsync(IAsyncStreamReader<ServerReflectionRequest> requests, IServerStreamWriter<ServerReflectionResponse> responses, ServerCallContext context)
    {
        while (await requests.ReadAsync(context.CancellationToken).ConfigureAwait(false) is { } request)
        {
            var response = Answer(request);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            await responses.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
        }
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request) => request.MessageRequestCase switch
    {
        ServerReflectionRequest.MessageRequestOneofCase.ListServices => List(),
        ServerReflectionRequest.MessageRequestOneofCase.FileByFilename => Files(index.File(request.FileByFilename), $"file {request.FileByFilename}"),
        ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol => Files(index.FileOfSymbol(request.FileContainingSymbol), $"symbol {request.FileContainingSymbol}"),
        ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension => Files(
            index.FileOfExtension(request.FileContainingExtension.ContainingType, request.FileContainingExtension.ExtensionNumber),
            $"extension {request.FileContainingExtension.ExtensionNumber} of {request.FileContainingExtension.ContainingType}"),
        ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType => Numbers(request.AllExtensionNumbersOfType),
        _ => Error(StatusCode.InvalidArgument, "the request asks for nothing"),
    };

    private ServerReflectionResponse List()
    {
        var list = new ListServiceResponse();
        foreach (var name in names)
        {
            list.Service.Add(new ServiceResponse { Name = name });
        }
        return new ServerReflectionResponse { ListServicesResponse = list };
    }

    private static ServerReflectionResponse Files(FileDescriptor? file, string what)
    {
        if (file is null)
        {
            return Error(StatusCode.NotFound, $"{what} is not known");
        }
        var files = new FileDescriptorResponse();
        foreach (var each in DescriptorIndex.WithImports(file))
        {
            files.FileDescriptorProto.Add(each.SerializedData);
        }
        return new ServerReflectionResponse { FileDescriptorResponse = files };
    }

    private ServerReflectionResponse Numbers(string type)
    {
        if (index.ExtensionNumbers(type) is not { } numbers)
        {
            return Error(StatusCode.NotFound, $"type {type} is not known");
        }
        var response = new ExtensionNumberResponse { BaseTypeName = type };
        response.ExtensionNumber.Add(numbers);
        return new ServerReflectionResponse { AllExtensionNumbersResponse = response };
    }

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };
}
